package io.shardbus.bench;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.shard.ScalingHistory;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.shard.ShardAccounting;
import io.shardbus.sink.Sink;
import io.shardbus.sink.Sinks;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;

/** A bus of one shard that scales itself, behind a throttle, under one load. */
final class ScalingRun {

  static final int RING_CAPACITY = 16_384;
  static final int MAX_SHARDS = 8;
  static final int A_SHARD_PER_SECOND = 20_000;
  static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  private final ScalingTrace trace;
  private final Recorder delays = new Recorder(3);
  private Histogram interval;
  private long offeredBefore;
  private long refusedBefore;

  private ScalingRun(Backend backend, LoadShape shape) {
    trace = new ScalingTrace(backend, shape);
  }

  static ScalingTrace of(Backend backend, LoadShape shape, long nanos) throws IOException {
    return new ScalingRun(backend, shape).run(nanos);
  }

  private ScalingTrace run(long nanos) throws IOException {
    try (Opened opened = new Opened()) {
      Vertx vertx = Vertx.vertx();
      opened.add(() -> vertx.close().await());
      ShardBusOptions options =
          new ShardBusOptions()
              .setShards(1)
              .setRingCapacity(RING_CAPACITY)
              .setScaling(new ScalingPolicy().setMaxShards(MAX_SHARDS));
      Sink sink = Sinks.create(trace.backend.sink(options, opened));
      ShardBus bus =
          ShardBus.start(vertx, options, new ThrottledSink(sink, A_SHARD_PER_SECOND, delays))
              .await();
      opened.add(() -> bus.close().await());
      Instant began = Instant.now();
      LoadProducer producer = opened.add(new LoadProducer(bus, trace.shape));
      for (long next = LOOK_NANOS; next <= nanos; next += LOOK_NANOS) {
        long wait;
        while ((wait = producer.start() + next - System.nanoTime()) > 0) {
          LockSupport.parkNanos(wait);
        }
        look(bus, (System.nanoTime() - producer.start()) / 1e9);
      }
      producer.close();
      settle(bus);
      for (ScalingHistory.Entry entry : bus.scalings().recent()) {
        trace.changes.add(
            new ScalingTrace.Change(Duration.between(began, entry.at()).toNanos() / 1e9, entry));
      }
      return trace;
    }
  }

  private void look(ShardBus bus, double seconds) {
    ShardAccounting total = bus.shards().accounting();
    interval = delays.getIntervalHistogram(interval);
    trace.delays.add(interval);
    trace.looks.add(
        new ScalingTrace.Look(
            seconds,
            trace.shape.at(seconds),
            total.offered() - offeredBefore,
            bus.shards().numShards(),
            total.backpressure() - refusedBefore,
            interval.getTotalCount() == 0 ? Double.NaN : interval.getValueAtPercentile(99) / 1e6));
    offeredBefore = total.offered();
    refusedBefore = total.backpressure();
  }

  /** Waits for what is still in the rings, and closes the books. */
  private void settle(ShardBus bus) {
    bus.flush().await();
    trace.delays.add(delays.getIntervalHistogram(interval));
    ShardAccounting total = bus.shards().accounting();
    trace.offered = total.offered();
    trace.refused = total.backpressure();
    if (total.delivered() != total.accepted()) {
      throw new IllegalStateException("the books do not balance: " + total);
    }
  }
}
