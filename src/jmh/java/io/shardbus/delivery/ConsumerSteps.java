package io.shardbus.delivery;

import io.shardbus.event.Batch;
import io.shardbus.event.IngestResult;
import io.shardbus.event.ProducerId;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.DrainBuffer;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardManager;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What it costs to wake a shard's consumer, and what its delivery costs. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(jvmArgs = {"-Xms2g", "-Xmx2g", "-XX:+AlwaysPreTouch"})
public class ConsumerSteps {

  private static final int EVENTS = 4096;

  /** Long enough for an event loop with nothing to do to wait for the operating system. */
  private static final long ASLEEP_NANOS = 50_000;

  /** A batch that is drained and waits to be delivered, before each call. */
  @State(Scope.Thread)
  public static class Drained {

    private final ShardManager manager =
        new ShardManager(1, EVENTS, BackpressureMode.FAIL_PRODUCER);
    private final Shard shard = manager.shards().get(0);
    private final RawEvent event = RawEvent.of(new byte[128]);
    private final LookingSink sink = new LookingSink();
    private final Delivery delivery =
        new Delivery(
            shard,
            sink,
            letters -> Future.failedFuture("no event is refused"),
            new ProducerId("bench", 0),
            new RetryOptions(),
            new DeliveryObservers(),
            () -> {},
            new Rescue.Call(() -> {}));
    private DrainBuffer batch;

    @Setup
    public void open() {
      shard.attachConsumer(() -> {});
      delivery.resume(new SameThread());
    }

    @Setup(Level.Invocation)
    public void drain() {
      for (int i = 0; i < EVENTS; i++) {
        manager.ingestRaw(event);
      }
      batch = new DrainBuffer(0, EVENTS);
      shard.tryDrain(batch, EVENTS, Long.MAX_VALUE);
    }
  }

  /** From the hand-over of a batch, through a sink that looks at each event, to the counters. */
  @Benchmark
  @OperationsPerInvocation(EVENTS)
  public long deliver(Drained drained) {
    drained.delivery.take(drained.batch);
    drained.delivery.write();
    return drained.sink.bytes;
  }

  /** A shard whose consumer sleeps on an event loop, before each call. */
  @State(Scope.Thread)
  public static class Asleep {

    private final Vertx vertx = Vertx.vertx();
    private final ShardManager manager =
        new ShardManager(1, EVENTS, BackpressureMode.FAIL_PRODUCER);
    private final Shard shard = manager.shards().get(0);
    private final RawEvent event = RawEvent.of(new byte[128]);
    private volatile boolean sleeping;

    @Setup
    public void open() {
      Context context = vertx.getOrCreateContext();
      VertxLoop loop = new VertxLoop(vertx, context);
      shard.attachConsumer(() -> loop.execute(this::turn));
    }

    private void turn() {
      do {
        shard.pop();
      } while (!shard.trySleep(1));
      sleeping = true;
    }

    @Setup(Level.Invocation)
    public void fallAsleep() {
      while (!sleeping) {
        Thread.onSpinWait();
      }
      sleeping = false;
      LockSupport.parkNanos(ASLEEP_NANOS);
    }

    @TearDown
    public void close() {
      vertx.close().await();
    }
  }

  /**
   * The call that finds the consumer asleep, and so pays for {@code runOnContext}. Each is a
   * sample: the thread that is woken sometimes takes the core at once.
   */
  @Benchmark
  @BenchmarkMode(Mode.SampleTime)
  public IngestResult ingestThatWakes(Asleep asleep) {
    return asleep.manager.ingestRaw(asleep.event);
  }

  private static final class SameThread implements ShardLoop {

    @Override
    public void execute(Runnable task) {
      task.run();
    }

    @Override
    public long setTimer(Duration delay, Runnable task) {
      return 0;
    }

    @Override
    public void cancelTimer(long id) {}

    @Override
    public long nanoTime() {
      return System.nanoTime();
    }
  }

  private static final class LookingSink implements Sink {

    private long bytes;

    @Override
    public String name() {
      return "looking";
    }

    @Override
    public Future<Void> open(SinkContext context) {
      return Future.succeededFuture();
    }

    @Override
    public Future<Void> write(Batch batch) {
      for (ShardEvent event : batch.events()) {
        bytes += event.payload().length();
      }
      return Future.succeededFuture();
    }

    @Override
    public Future<Void> close() {
      return Future.succeededFuture();
    }
  }
}
