package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Sinks that are no better for more shards: those that fail for all, and those whose writes take
 * their time whatever their size. In virtual time; a batch is being written while the next forms.
 */
@Tag("hot")
@Tag("once")
class ScalingFaultsTest {

  private static final int RATE = 20_000;
  private static final int BATCH = 10_000;
  private static final int LONGEST_DELAY = 10;
  private static final int NEVER = Integer.MAX_VALUE;

  private final SplittableRandom random = new SplittableRandom(42);
  private final Map<Integer, Pump> pumps = new HashMap<>();
  private final ScalingPolicy policy = new ScalingPolicy().setMaxShards(32);
  private int milli;
  private ShardManager manager;
  private ShardMapper mapper;

  /** Milliseconds that a write of so many events takes. */
  private IntUnaryOperator write = events -> (events * 1000 + RATE - 1) / RATE;

  private int failsFrom = NEVER;

  private static final class Pump {
    DrainBuffer forming;
    DrainBuffer written;
    int formingSince;
    int writtenSince;
    int writtenUntil;
  }

  private void start(int shards) {
    manager =
        new ShardManager(
            shards,
            16_384,
            BackpressureMode.FAIL_PRODUCER,
            policy,
            ShardLimits.DEFAULT,
            this::nanos,
            this::nanos);
    mapper = manager.mapper().orElseThrow();
  }

  private long nanos() {
    return milli * 1_000_000L;
  }

  private void run(int seconds, int eventsPerMilli) {
    for (int end = milli + seconds * 1000; milli < end; ) {
      for (int i = 0; i < eventsPerMilli; i++) {
        manager.ingestRaw(RawEvent.ofHash(Buffer.buffer("{}"), random.nextLong()));
      }
      milli++;
      manager.shards().forEach(this::deliver);
      if (milli % 50 == 0) {
        scale(manager.evaluateScaling());
      }
      mapper.finalizeDraining();
      mapper.removeStoppedShards();
    }
  }

  private void deliver(Shard shard) {
    Pump pump = pumps.computeIfAbsent(shard.id(), id -> new Pump());
    if (pump.written != null && pump.writtenUntil <= milli) {
      shard.settle(pump.written.size(), 0);
      shard.recordFlush((milli - pump.writtenSince) * 1_000_000L);
      pump.written = null;
      shard.settledBelow(pump.forming == null ? Long.MAX_VALUE : pump.forming.firstSequence());
    }
    if (pump.forming == null && !shard.isEmpty()) {
      pump.forming = new DrainBuffer(shard.id(), 1000);
      pump.formingSince = milli;
    }
    if (pump.forming != null) {
      shard.tryDrain(pump.forming, BATCH - pump.forming.size(), Long.MAX_VALUE);
      boolean due = milli - pump.formingSince >= LONGEST_DELAY || pump.forming.size() == BATCH;
      if (due && pump.written == null) {
        pump.written = pump.forming;
        pump.forming = null;
        pump.writtenSince = milli;
        pump.writtenUntil =
            milli >= failsFrom ? NEVER : milli + write.applyAsInt(pump.written.size());
      }
    }
  }

  private void scale(ScalingDecision decision) {
    switch (decision.direction()) {
      case NONE -> {}
      case UP -> mapper.activate(mapper.scaleUp(decision.count(), true));
      case DOWN -> mapper.scaleDown(decision.count(), true);
    }
  }

  /** It is always writing, and a batch is what has come meanwhile. */
  @ParameterizedTest
  @ValueSource(ints = {1, 10, 50})
  void writesThatTakeTheirTimeWhateverTheirSize_needOneShard(int eventsPerMilli) {
    write = events -> LONGEST_DELAY;
    start(1);
    run(20, eventsPerMilli);
    assertThat(manager.numShards()).isEqualTo(1);
    assertThat(manager.scalingLimit()).isEqualTo(ScalingLimit.NONE);
    assertThat(manager.accounting().backpressure()).isZero();
  }

  @Test
  void writesThatTakeTheirTimeWhateverTheirSize_giveBackWhatOthersNeeded() {
    policy.setScaleDownDelay(Duration.ofSeconds(10));
    start(4);
    run(10, 60);
    assertThat(manager.numShards()).isEqualTo(4);
    write = events -> LONGEST_DELAY;
    run(30, 10);
    assertThat(manager.numShards()).isEqualTo(1);
  }

  @Test
  void sinkThatFailsForAllWhileTheyGrow_isNoReasonForMore() {
    start(1);
    run(5, 10);
    failsFrom = milli + 400;
    run(30, 60);
    assertThat(manager.numShards()).isLessThanOrEqualTo(8);
  }

  @Test
  void sinkThatFailsForAll_isNoReasonForMore() {
    start(4);
    run(5, 50);
    failsFrom = milli;
    run(60, 50);
    assertThat(manager.numShards()).isLessThanOrEqualTo(8);
  }

  /** It may be its connection. */
  @Test
  void onlyShardThatHangs_getsOneBesideIt() {
    failsFrom = 0;
    start(1);
    run(40, 10);
    assertThat(manager.numShards()).isEqualTo(2);
  }

  @Test
  void autoScaleOffAndOn_watchesForAllOfTheDelayAnew() {
    start(4);
    run(5, 0);
    mapper.changePolicy(mapper.policy().setAutoScale(false));
    run(70, 0);
    mapper.changePolicy(mapper.policy().setAutoScale(true));
    run(50, 0);
    assertThat(manager.numShards()).isEqualTo(4);
    run(20, 0);
    assertThat(manager.numShards()).isEqualTo(1);
  }
}
