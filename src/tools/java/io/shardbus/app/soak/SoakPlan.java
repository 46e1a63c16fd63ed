package io.shardbus.app.soak;

import io.shardbus.ShardBusOptions;
import io.shardbus.delivery.BatchOptions;
import io.shardbus.delivery.RetryOptions;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.ScalingPolicy;
import java.time.Duration;
import java.util.Locale;
import java.util.Random;

/** The plan of a round, drawn from its seed. */
final class SoakPlan {

  /** When the bus is closed. */
  enum Ending {
    AT_THE_END,
    IN_THE_MIDDLE,
    WITH_WORKERS_BLOCKED;

    String word() {
      return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
  }

  private static final BackpressureMode[] MODES = {
    BackpressureMode.FAIL_PRODUCER,
    BackpressureMode.DROP_NEWEST,
    BackpressureMode.DROP_OLDEST,
    BackpressureMode.sample(3)
  };
  private static final int[] RINGS = {1024, 4096, 65_536};
  private static final Duration WRITE_TIMEOUT = Duration.ofMillis(30);
  private static final Duration LONG_WRITE_TIMEOUT = Duration.ofHours(1);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);
  private static final Duration SHORT_CLOSE_TIMEOUT = Duration.ofSeconds(6);

  /** One round in this number has each of the unusual endings. */
  private static final int OTHER_ENDINGS = 5;

  final ShardBusOptions options;
  final Ending ending;

  /** Whether the policy alone adds and removes shards, under a load that rises and falls. */
  final boolean automatic;

  /** Whether a verticle starts the bus, whose undeployment closes it. */
  final boolean owned;

  /**
   * Whether writes may have no answer. If not, the bus waits for one for longer than the round
   * takes: then a failure that it does not see holds a shard up for good.
   */
  final boolean silentSink;

  /** The share of the events after which it ends, if it ends in the middle. */
  final double end;

  SoakPlan(long seed) {
    Random dice = new Random(seed);
    silentSink = dice.nextInt(3) > 0;
    int maxBatch = 1 << (4 + dice.nextInt(9));
    ScalingPolicy scaling =
        new ScalingPolicy().setAutoScale(false).setMetricsWindow(Duration.ofMillis(10));
    options =
        new ShardBusOptions()
            .setBackpressure(MODES[Math.floorMod(seed, MODES.length)])
            .setRingCapacity(RINGS[dice.nextInt(RINGS.length)])
            .setShards(1 + dice.nextInt(4))
            .setScaling(scaling.setMaxShards(4 + dice.nextInt(12)))
            .setBatch(
                new BatchOptions()
                    .setMinSize(1 + dice.nextInt(maxBatch))
                    .setMaxSize(maxBatch)
                    .setMaxDelay(Duration.ofMillis(1 + dice.nextInt(5))))
            .setDelivery(
                new RetryOptions()
                    .setTimeout(silentSink ? WRITE_TIMEOUT : LONG_WRITE_TIMEOUT)
                    .setInitialBackoff(Duration.ofMillis(1))
                    .setMaxBackoff(Duration.ofMillis(10)));
    int roll = dice.nextInt(OTHER_ENDINGS);
    ending =
        roll == 0
            ? Ending.WITH_WORKERS_BLOCKED
            : roll == 1 ? Ending.IN_THE_MIDDLE : Ending.AT_THE_END;
    end = dice.nextDouble();
    owned = dice.nextInt(3) == 0;
    automatic = dice.nextInt(3) == 0;
    if (automatic) {
      scaling
          .setAutoScale(true)
          .setCooldown(Duration.ofMillis(dice.nextInt(50)))
          .setScaleDownDelay(Duration.ofMillis(20));
    }
    options.setCloseTimeout(
        ending == Ending.WITH_WORKERS_BLOCKED ? SHORT_CLOSE_TIMEOUT : CLOSE_TIMEOUT);
  }

  /** Whether the bus is closed while there are producers at work. */
  boolean endsEarly() {
    return ending != Ending.AT_THE_END;
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s, ring %d, batches of %d to %d, %s%s, closed %s%s",
        options.getBackpressure(),
        options.getRingCapacity(),
        options.getBatch().getMinSize(),
        options.getBatch().getMaxSize(),
        silentSink ? "sink may be silent" : "sink answers",
        automatic ? ", automatic scaling" : "",
        ending.word(),
        owned ? " by undeploying its owner" : "");
  }
}
