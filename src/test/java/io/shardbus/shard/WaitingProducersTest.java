package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Producers that wait for room instead of being refused: what comes is no more than what is
 * drained, so that the load alone does not say how many shards it needs. In virtual time.
 */
@Tag("hot")
class WaitingProducersTest {

  private static final int A_SHARD_PER_MILLI = 20;
  private static final int OFFERED_PER_MILLI = 60;
  private static final long MILLI = 1_000_000;

  private final SplittableRandom random = new SplittableRandom(42);
  private final Map<Integer, Double> credit = new HashMap<>();
  private long now;
  private final ShardManager manager =
      new ShardManager(
          1,
          8192,
          BackpressureMode.FAIL_PRODUCER,
          new ScalingPolicy().setMaxShards(8),
          ShardLimits.DEFAULT,
          () -> now,
          () -> now);
  private final ShardMapper mapper = manager.mapper().orElseThrow();

  /**
   * @param shared whether all shards together drain no more than one
   * @return events drained in the last second
   */
  private long run(int seconds, boolean shared) {
    long before = 0;
    for (int milli = 0; milli < seconds * 1000; milli++) {
      if (milli == (seconds - 1) * 1000) {
        before = manager.accounting().delivered();
      }
      offer();
      now += MILLI;
      List<Shard> busy = manager.shards().stream().filter(shard -> !shard.isEmpty()).toList();
      double each = shared ? (double) A_SHARD_PER_MILLI / busy.size() : A_SHARD_PER_MILLI;
      busy.forEach(shard -> drain(shard, each));
      if (milli % 50 == 49) {
        scale(manager.evaluateScaling());
      }
      mapper.finalizeDraining();
      mapper.removeStoppedShards();
    }
    return manager.accounting().delivered() - before;
  }

  private void offer() {
    for (int i = 0; i < OFFERED_PER_MILLI; i++) {
      RawEvent event = RawEvent.ofHash(Buffer.buffer("{}"), random.nextLong());
      if (!manager.tryIngestRaw(event, null, manager.routingEpoch()).accepted()) {
        return; // it waits, and all behind it
      }
    }
  }

  private void drain(Shard shard, double perMilli) {
    double available = credit.getOrDefault(shard.id(), 0.0) + perMilli;
    int events = shard.popBatch(Math.max(1, (int) available)).size();
    credit.put(shard.id(), Math.min(1, available - events));
    shard.recordFlush((long) (events * MILLI / perMilli));
  }

  private void scale(ScalingDecision decision) {
    switch (decision.direction()) {
      case NONE -> {}
      case UP -> mapper.activate(mapper.scaleUp(decision.count(), true));
      case DOWN -> mapper.scaleDown(decision.count(), true);
    }
  }

  @Test
  void fullRing_bringsShardsUntilNobodyWaits() {
    long drained = run(10, false);
    assertThat(manager.numShards()).isBetween(3, 4);
    assertThat(drained).isGreaterThan(950 * OFFERED_PER_MILLI);
    assertThat(manager.scalingLimit()).isEqualTo(ScalingLimit.NONE);
  }

  @Test
  void sinkThatTakesNoMoreFromMany_getsBackToFew() {
    run(30, true);
    assertThat(manager.numShards()).isEqualTo(1);
    assertThat(manager.scalingLimit()).isEqualTo(ScalingLimit.SINK);
    assertThat(manager.scalingLimitReason()).contains("drain no more than 1");
  }
}
