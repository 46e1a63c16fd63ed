package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ScalingDecisionTest extends ManagerFixture {

  private ScalingDecision nextWindow(ShardManager manager) {
    pass(Duration.ofSeconds(1));
    return manager.evaluateScaling();
  }

  @Test
  void overload_asksForShardsWithinTwoWindows() {
    ShardManager manager = dynamic(1, policy());
    assertThat(nextWindow(manager)).isEqualTo(ScalingDecision.NONE);
    fill(manager, 900);
    ScalingDecision decision = nextWindow(manager);
    assertThat(decision.direction()).isEqualTo(ScalingDecision.Direction.UP);
    assertThat(decision.count()).isEqualTo(1);
    manager.activateShard(manager.addShard());
    Shard second = manager.shard(1).orElseThrow(); // the first one hangs: nobody drains it
    nextWindow(manager);
    second.recordFlush(TimeUnit.SECONDS.toNanos(1));
    assertThat(nextWindow(manager)).as("cooldown").isEqualTo(ScalingDecision.NONE);
    pass(Duration.ofSeconds(10));
    second.recordFlush(TimeUnit.SECONDS.toNanos(1));
    assertThat(nextWindow(manager).direction()).isEqualTo(ScalingDecision.Direction.UP);
  }

  @Test
  void tick_thatIsEarlyEndsItsWindowAllTheSame() {
    ShardManager manager = dynamic(1, policy());
    int perWindow = 100;
    for (int i = 0; i < 10; i++) {
      fill(manager, perWindow);
      manager.withShard(0, shard -> shard.popBatch(1000));
      pass(Duration.ofMillis(i % 2 == 0 ? 1_040 : 960)); // as the threads that run it come and go
      assertThat(manager.collectMetrics().orElseThrow().get(0).eventRate())
          .as("window %d", i)
          .isBetween(90L, 110L);
    }
  }

  @Test
  void oneWindow_isActedOnOnce() {
    ShardManager manager = dynamic(1, policy().setCooldown(Duration.ZERO));
    nextWindow(manager);
    fill(manager, 900);
    assertThat(nextWindow(manager).direction()).isEqualTo(ScalingDecision.Direction.UP);
    pass(Duration.ofMillis(10));
    assertThat(manager.evaluateScaling()).isEqualTo(ScalingDecision.NONE);
  }

  @Test
  void autoScaleOff_asksForNothing() {
    ShardManager manager = dynamic(1, policy().setAutoScale(false));
    nextWindow(manager);
    fill(manager, 1024);
    assertThat(nextWindow(manager)).isEqualTo(ScalingDecision.NONE);
  }

  @Test
  void idleness_mustLastWithoutABreak() {
    ShardManager manager =
        dynamic(2, policy().setCooldown(Duration.ZERO).setScaleDownDelay(Duration.ofSeconds(5)));
    for (int i = 0; i < 5; i++) {
      assertThat(nextWindow(manager)).isEqualTo(ScalingDecision.NONE);
    }
    fill(manager, 600); // above the underutilized threshold, below overload
    assertThat(nextWindow(manager)).isEqualTo(ScalingDecision.NONE);
    for (int id = 0; id < 2; id++) {
      manager.withShard(id, shard -> shard.popBatch(1000));
    }
    for (int i = 0; i < 5; i++) {
      assertThat(nextWindow(manager)).as("second %d", i).isEqualTo(ScalingDecision.NONE);
    }
    assertThat(nextWindow(manager).direction()).isEqualTo(ScalingDecision.Direction.DOWN);
  }

  @Test
  void longerDelay_doesNotTakeWhatIsForgottenForIdle() {
    ScalingPolicy policy =
        policy().setCooldown(Duration.ZERO).setScaleDownDelay(Duration.ofSeconds(1));
    ShardManager manager = dynamic(2, policy);
    for (int second = 0; second < 15; second++) {
      if (second == 8) {
        fill(manager, 600); // two are needed
      } else {
        manager.shards().forEach(shard -> shard.popBatch(1000));
      }
      nextWindow(manager);
    }
    manager.mapper().orElseThrow().changePolicy(policy.setScaleDownDelay(Duration.ofSeconds(10)));
    assertThat(nextWindow(manager)).isEqualTo(ScalingDecision.NONE);
  }

  @Test
  void shardsAddedSinceTheWindowEnded_areNotAddedAgain() {
    ShardManager manager = dynamic(1, policy().setMinShards(3));
    pass(Duration.ofSeconds(1));
    manager.collectMetrics(); // a caller ends the window
    for (int i = 0; i < 2; i++) {
      manager.activateShard(manager.addShardForce());
    }
    assertThat(manager.evaluateScaling()).isEqualTo(ScalingDecision.NONE);
  }

  @Test
  void metrics_tellOfTheWindow() {
    ShardManager manager = dynamic(1, policy());
    fill(manager, 512);
    pass(Duration.ofSeconds(2));
    ShardMetrics metrics = manager.collectMetrics().orElseThrow().get(0);
    assertThat(metrics.eventRate()).isEqualTo(256);
    assertThat(metrics.fillRatio()).isEqualTo(0.5);
    assertThat(metrics.weight()).isEqualTo(1.0);
    assertThat(metrics.draining()).isFalse();
    pass(Duration.ofMillis(100));
    assertThat(manager.collectMetrics().orElseThrow().get(0)).isEqualTo(metrics);
  }
}
