package io.shardbus.bench;

import java.util.Locale;

/** How many events a second come, by the time since the start. */
enum LoadShape {
  /** Six times as many from the first second on. */
  STEP {
    @Override
    double at(double seconds) {
      return seconds < RISE_SECONDS ? LOW : HIGH;
    }
  },
  /** Up in five seconds, down at once, again and again. */
  SAWTOOTH {
    @Override
    double at(double seconds) {
      return LOW + (HIGH - LOW) * (seconds % TOOTH_SECONDS) / TOOTH_SECONDS;
    }
  },
  /** Ten times as many for two seconds. */
  BURST {
    @Override
    double at(double seconds) {
      return seconds >= RISE_SECONDS && seconds < RISE_SECONDS + BURST_SECONDS ? HIGH : HIGH / 10;
    }
  };

  /** When the load of a step or a burst rises. */
  static final double RISE_SECONDS = 1;

  static final double HIGH = 60_000;
  private static final double LOW = 10_000;
  private static final double TOOTH_SECONDS = 5;
  private static final double BURST_SECONDS = 2;

  /** Events per second. */
  abstract double at(double seconds);

  String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
