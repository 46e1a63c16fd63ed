package io.shardbus.bench;

/** How every thread waits: it spins a little, then lets others have the core. */
final class Idle {

  private static final int SPINS = 32;

  private int tries;

  void reset() {
    tries = 0;
  }

  void pause() {
    if (tries < SPINS) {
      tries++;
      Thread.onSpinWait();
    } else {
      Thread.yield();
    }
  }
}
