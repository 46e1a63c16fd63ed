package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.RawEvent;
import io.shardbus.shard.ScalingException.Reason;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** Makes managers whose time the test decides. */
abstract class ManagerFixture {

  final AtomicLong clock = new AtomicLong(1_000);

  ShardManager dynamic(int shards, ScalingPolicy policy) {
    return new ShardManager(
        shards, 1024, BackpressureMode.FAIL_PRODUCER, policy, ShardLimits.DEFAULT, clock::get);
  }

  static ScalingPolicy policy() {
    return ScalingPolicy.defaults(4).setCooldown(Duration.ofSeconds(10));
  }

  void pass(Duration time) {
    clock.addAndGet(time.toNanos());
  }

  static RawEvent event(int i) {
    return RawEvent.of("event " + i);
  }

  static void assertBalanced(ShardAccounting a) {
    assertThat(a.accepted())
        .isEqualTo(
            a.delivered() + a.evicted() + a.deadLettered() + a.pendingInRing() + a.inFlight());
  }

  static void assertReason(Reason reason, Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            ScalingException.class, e -> assertThat(e.reason()).isEqualTo(reason));
  }

  void fill(ShardManager manager, int events) {
    for (int i = 0; i < events; i++) {
      manager.ingestRaw(event(i));
    }
  }
}
