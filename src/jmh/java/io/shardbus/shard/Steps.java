package io.shardbus.shard;

import io.shardbus.event.IngestResult;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import net.openhft.hashing.LongHashFunction;
import org.jctools.queues.MpscArrayQueue;
import org.jctools.queues.varhandle.MpscVarHandleArrayQueue;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What each step of an event's way costs one thread that nobody disturbs. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(jvmArgs = {"-Xms2g", "-Xmx2g", "-XX:+AlwaysPreTouch"})
public class Steps {

  private static final int EVENTS = 4096;

  /** A payload of a given size. */
  @State(Scope.Thread)
  public static class Input {

    private static final LongHashFunction XXH3 = LongHashFunction.xx3();

    @Param({"16", "128", "1024"})
    int bytes;

    private byte[] array;
    private Buffer buffer;

    @Setup
    public void fill() {
      array = new byte[bytes];
      new SplittableRandom(42).nextBytes(array);
      buffer = Buffer.buffer(array);
    }
  }

  @Benchmark
  public long hashOfArray(Input input) {
    return Input.XXH3.hashBytes(input.array);
  }

  @Benchmark
  public RawEvent rawEvent(Input input) {
    return RawEvent.of(input.buffer);
  }

  /** What the steps without a payload work on. */
  @State(Scope.Thread)
  public static class Parts {

    private final MonotonicClock clock = new MonotonicClock();
    private final MpscArrayQueue<QueuedEvent> ring = new MpscArrayQueue<>(EVENTS);
    private final MpscVarHandleArrayQueue<QueuedEvent> varHandleRing =
        new MpscVarHandleArrayQueue<>(EVENTS);
    private final Buffer buffer = Buffer.buffer(new byte[128]);
    private final QueuedEvent queued = QueuedEvent.of(buffer, null, 0, null);
    private final long[] hashes = new SplittableRandom(42).longs(1024).toArray();
    private RoutingTable table;
    private int next;

    @Setup
    public void route() {
      Lane[] slots = new Lane[8];
      for (int i = 0; i < slots.length; i++) {
        slots[i] = shard(EVENTS).main();
      }
      table = new RoutingTable(slots, slots, 0, null);
    }

    private long nextHash() {
      return hashes[next++ & (hashes.length - 1)];
    }
  }

  @Benchmark
  public long clock(Parts parts) {
    return parts.clock.getAsLong();
  }

  @Benchmark
  public Lane select(Parts parts) {
    return parts.table.select(parts.nextHash(), false);
  }

  @Benchmark
  public QueuedEvent queuedEvent(Parts parts) {
    return QueuedEvent.of(parts.buffer, null, parts.next++, null);
  }

  @Benchmark
  public QueuedEvent offerAndPoll(Parts parts) {
    parts.ring.offer(parts.queued);
    return parts.ring.relaxedPoll();
  }

  @Benchmark
  public QueuedEvent offerAndPollVarHandle(Parts parts) {
    parts.varHandleRing.offer(parts.queued);
    return parts.varHandleRing.relaxedPoll();
  }

  @Benchmark
  public IngestResult ingestResult(Parts parts) {
    return new IngestResult(Outcome.ACCEPTED, 1, parts.next++);
  }

  /** A ring full of events before each call. */
  @State(Scope.Thread)
  public static class Filled {

    private Shard shard;
    private QueuedEvent event;

    @Setup
    public void open() {
      shard = shard(EVENTS);
      event = QueuedEvent.of(Buffer.buffer(new byte[128]), null, 0, null);
    }

    @Setup(Level.Invocation)
    public void fill() {
      for (int i = 0; i < EVENTS; i++) {
        shard.main().offer(event, true);
      }
    }
  }

  @Benchmark
  @OperationsPerInvocation(EVENTS)
  public DrainBuffer drain(Filled filled) {
    DrainBuffer drained = new DrainBuffer(0, EVENTS);
    filled.shard.tryDrain(drained, EVENTS, Long.MAX_VALUE);
    return drained;
  }

  /** An engine with one shard that is emptied before each call. */
  @State(Scope.Thread)
  public static class Emptied {

    @Param({"0", "1"})
    int interceptors;

    private ShardManager manager;
    private RawEvent event;

    @Setup
    public void open() {
      manager = new ShardManager(1, EVENTS, BackpressureMode.FAIL_PRODUCER);
      for (int i = 0; i < interceptors; i++) {
        manager.addInterceptor(passed -> passed);
      }
      event = RawEvent.of(new byte[128]);
    }

    @Setup(Level.Invocation)
    public void empty() {
      manager.shards().get(0).popBatch(EVENTS);
    }
  }

  /** The whole call, with its event and its result, but without the hash. */
  @Benchmark
  @OperationsPerInvocation(EVENTS)
  public int ingest(Emptied emptied) {
    int accepted = 0;
    for (int i = 0; i < EVENTS; i++) {
      if (emptied.manager.ingestRaw(emptied.event).accepted()) {
        accepted++;
      }
    }
    return accepted;
  }

  /**
   * Rings that are emptied before each call, to see what a shard adds to its ring: the check
   * whether the consumer is to be woken, and that of the event's size.
   */
  @State(Scope.Thread)
  public static class Rings {

    private final QueuedEvent event = QueuedEvent.of(Buffer.buffer(new byte[128]), null, 0, null);
    private final MpscArrayQueue<QueuedEvent> ring = new MpscArrayQueue<>(EVENTS);
    private final Shard awake = shard(EVENTS);
    private final Shard forming = shard(4 * EVENTS);

    @Setup(Level.Invocation)
    public void empty() {
      ring.clear();
      awake.popBatch(EVENTS);
      forming.popBatch(EVENTS);
      forming.trySleep(2 * EVENTS);
    }
  }

  @Benchmark
  @OperationsPerInvocation(EVENTS)
  public void offerToRing(Rings rings) {
    for (int i = 0; i < EVENTS; i++) {
      rings.ring.offer(rings.event);
    }
  }

  @Benchmark
  @OperationsPerInvocation(EVENTS)
  public void offerToShard(Rings rings) {
    for (int i = 0; i < EVENTS; i++) {
      rings.awake.main().offer(rings.event, true);
    }
  }

  /** The consumer sleeps until there are more events than are offered: each looks how many. */
  @Benchmark
  @OperationsPerInvocation(EVENTS)
  public void offerToFormingShard(Rings rings) {
    for (int i = 0; i < EVENTS; i++) {
      rings.forming.main().offer(rings.event, true);
    }
  }

  private static Shard shard(int capacity) {
    Shard shard =
        new Shard(
            0,
            capacity,
            BackpressureMode.FAIL_PRODUCER,
            Long.MAX_VALUE,
            new ShardLedger(),
            System::nanoTime);
    shard.attachConsumer(() -> {});
    return shard;
  }
}
