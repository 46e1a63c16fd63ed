package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.shard.ScalingDecision.Direction;
import io.shardbus.shard.ScalingOutcome.Change;
import io.shardbus.shard.ScalingRules.Shipped;
import io.shardbus.shard.ScalingScenarios.Scenario;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** When the shipped scaling rule acts, on the shipped engine in virtual time. */
@Tag("once")
class ScalingDelaysTest {

  private static final double DRAIN_RATE = 5_000;
  private static final int RING = 8192;

  private static ScalingOutcome run(Scenario scenario, ScalingPolicy policy, int shardsAtFirst) {
    Shipped rule = new Shipped(policy.getMetricsWindow());
    return new ScalingSimulation(
            scenario.drainRate(DRAIN_RATE).ring(RING), rule, policy, shardsAtFirst)
        .run();
  }

  private static int second(int tick) {
    return tick / ScalingScenarios.TICKS_PER_SECOND;
  }

  @Test
  void squareWave_doesNotFlap() {
    int period = 40;
    ScalingOutcome outcome =
        run(
            new Scenario(
                    "square wave",
                    1800,
                    tick -> second(tick) % period < period / 2 ? 22_000 : 2_000)
                .scale(4),
            new ScalingPolicy().setMinShards(2).setMaxShards(16),
            2);
    assertThat(outcome.changesPerMinute()).isLessThanOrEqualTo(0.5);
    assertThat(outcome.mostShards()).isGreaterThanOrEqualTo(5);
    // The first periods cost some events.
    assertThat(outcome.refused()).isLessThan(outcome.offered() / 20);
  }

  @Test
  void overload_bringsAShardWithinTwoWindows() {
    // From the 5th second on, twice what the shards can drain.
    int overloadedFrom = 5;
    ScalingOutcome outcome =
        run(
            new Scenario("overload", 9, tick -> second(tick) < overloadedFrom ? 5_000 : 20_000),
            new ScalingPolicy().setMinShards(2).setMaxShards(4).setFillRatioThreshold(0.3),
            2);
    assertThat(outcome.changes()).isNotEmpty();
    // Overloaded is a shard above the threshold: 0.3 of the ring, gained at 5,000 a second.
    double overloadSeconds = overloadedFrom + 0.3 * RING / DRAIN_RATE;
    assertThat(outcome.changes().get(0).millis() / 1e3)
        .isBetween((double) overloadedFrom, overloadSeconds + 2);
  }

  @Test
  void idleness_mustLastForTheWholeDelay() {
    Duration delay = Duration.ofSeconds(30);
    ScalingOutcome outcome =
        run(
            // a busy second in between begins the delay anew
            new Scenario("idle", 100, tick -> second(tick) == 20 ? 19_000 : 100),
            new ScalingPolicy().setMinShards(1).setMaxShards(8).setScaleDownDelay(delay),
            4);
    List<Change> down =
        outcome.changes().stream().filter(change -> change.direction() == Direction.DOWN).toList();
    assertThat(down).isNotEmpty();
    assertThat(down.get(0).millis()).isGreaterThan(50_000);
    assertThat(outcome.activeBySecond().get(99)).isLessThan(4);
    assertThat(outcome.refused()).isZero();
  }
}
