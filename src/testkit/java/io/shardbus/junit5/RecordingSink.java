package io.shardbus.junit5;

import io.shardbus.ShardBus;
import io.shardbus.event.Batch;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardManager;
import io.shardbus.shard.ShardState;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkException;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Keeps all events that it was given, and fails, hangs or is slow if a test says so. It checks what
 * holds for every batch: sequences without a gap, timestamps that rise, one write in flight for
 * each shard. Safe for any thread.
 */
public class RecordingSink implements Sink {

  /** What fills a ring. */
  private static final Buffer FILLER = Buffer.buffer("filler of a test");

  private static final long PATIENCE_SECONDS = 10;
  private static final int MAX_FAULTS = 20;

  private final Map<Integer, Lane> lanes = new ConcurrentHashMap<>();
  private final List<String> faults = new CopyOnWriteArrayList<>();
  private final List<Waiter> waiters = new CopyOnWriteArrayList<>();
  private final AtomicLong count = new AtomicLong();
  private final AtomicInteger opened = new AtomicInteger();
  private final AtomicInteger closed = new AtomicInteger();

  /** Completed with the next behaviour, when that begins. */
  private final AtomicReference<Promise<Function<Batch, Future<Void>>>> ending =
      new AtomicReference<>(Promise.promise());

  private volatile Function<Batch, Future<Void>> behaviour = batch -> Future.succeededFuture();
  private volatile Callable<Future<Void>> onOpen = Future::succeededFuture;
  private volatile Callable<Future<Void>> onClose = Future::succeededFuture;
  private volatile SinkContext context;

  /** A shard. Its monitor guards the events. */
  private static final class Lane {
    final AtomicBoolean writing = new AtomicBoolean();
    final List<ShardEvent> events = new ArrayList<>();
    volatile Context loop;
  }

  private record Waiter(int count, Promise<List<ShardEvent>> promise) {}

  /** A sink that takes all events. */
  public RecordingSink() {}

  /**
   * Sets how the sink answers writes from now on. It also answers those that hang.
   *
   * @param next returns the answer to a write. If it succeeds, the batch is recorded. It may also
   *     throw or return null, as a faulty sink does
   * @return this
   */
  public RecordingSink behave(Function<Batch, Future<Void>> next) {
    return behave(next, Promise.promise());
  }

  private RecordingSink behave(
      Function<Batch, Future<Void>> next, Promise<Function<Batch, Future<Void>>> end) {
    behaviour = next;
    ending.getAndSet(end).complete(next);
    return this;
  }

  /**
   * Does not answer writes until the sink {@link #heal heals}, or behaves in another way.
   *
   * @return this
   */
  public RecordingSink hang() {
    Promise<Function<Batch, Future<Void>>> end = Promise.promise();
    return behave(batch -> end.future().compose(next -> next.apply(batch)), end);
  }

  /**
   * Lets all writes fail.
   *
   * @param failure such as {@code SinkException.permanentFailure("no")}. Any other exception than a
   *     {@code SinkException} is a failure that passes
   * @return this
   */
  public RecordingSink fail(Throwable failure) {
    return behave(batch -> Future.failedFuture(failure));
  }

  /**
   * Answers each write late. The sink must be open.
   *
   * @param delay how late, at least 1 ms
   * @return this
   */
  public RecordingSink slow(Duration delay) {
    return behave(batch -> context.vertx().timer(delay.toMillis(), TimeUnit.MILLISECONDS));
  }

  /**
   * Takes all events again, and those of the writes that hang.
   *
   * @return this
   */
  public RecordingSink heal() {
    return behave(batch -> Future.succeededFuture());
  }

  /**
   * Decides what happens when the bus opens the sink.
   *
   * @param action returns the answer, or throws
   * @return this
   */
  public RecordingSink onOpen(Callable<Future<Void>> action) {
    onOpen = action;
    return this;
  }

  /**
   * Decides what happens when the bus closes the sink.
   *
   * @param action returns the answer, or throws
   * @return this
   */
  public RecordingSink onClose(Callable<Future<Void>> action) {
    onClose = action;
    return this;
  }

  @Override
  public String name() {
    return "recording";
  }

  @Override
  public Future<Void> open(SinkContext lent) {
    context = lent;
    opened.incrementAndGet();
    return call(onOpen);
  }

  @Override
  public Future<Void> write(Batch batch) {
    Lane lane = lane(batch.shard());
    lane.loop = Vertx.currentContext();
    if (!lane.writing.compareAndSet(false, true)) {
      fault("two writes in flight for shard " + batch.shard());
    }
    Future<Void> answer = null;
    try {
      answer = behaviour.apply(batch);
    } finally {
      if (answer == null) {
        lane.writing.set(false);
      }
    }
    return answer == null
        ? null
        : answer
            .onSuccess(done -> record(batch, new BitSet()))
            .onFailure(e -> recordPart(batch, e))
            .onComplete(done -> lane.writing.set(false));
  }

  private Lane lane(int shard) {
    return lanes.computeIfAbsent(shard, id -> new Lane());
  }

  private void recordPart(Batch batch, Throwable failure) {
    if (failure instanceof SinkException e && e.kind() == SinkException.Kind.PARTIAL) {
      record(batch, e.failed());
    }
  }

  @Override
  public Future<Void> close() {
    closed.incrementAndGet();
    return call(onClose);
  }

  private static Future<Void> call(Callable<Future<Void>> action) {
    try {
      return action.call();
    } catch (Throwable e) {
      return throwUnchecked(e);
    }
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <T, E extends Throwable> T throwUnchecked(Throwable e) throws E {
    throw (E) e;
  }

  /** All of a batch, or, after a partial failure, the events that did not fail. They leave gaps. */
  private void record(Batch batch, BitSet failed) {
    Lane lane = lane(batch.shard());
    synchronized (lane) {
      for (int i = failed.nextClearBit(0); i < batch.size(); i = failed.nextClearBit(i + 1)) {
        ShardEvent event = batch.events().get(i);
        if (failed.isEmpty()) {
          check(lane.events.isEmpty() ? null : lane.events.get(lane.events.size() - 1), event);
        }
        lane.events.add(event);
        if (!isFiller(event)) {
          count.incrementAndGet();
        }
      }
    }
    waiters.forEach(this::tell);
  }

  private void check(ShardEvent before, ShardEvent event) {
    if (event.sequence() != (before == null ? 0 : before.sequence() + 1)) {
      String after = before == null ? "at the beginning" : "after " + before.sequence();
      fault("shard " + event.shard() + ": " + event.sequence() + " " + after);
    }
    if (before != null && event.timestamp() <= before.timestamp()) {
      fault("shard " + event.shard() + ": timestamp does not rise at " + event.sequence());
    }
  }

  private void fault(String what) {
    if (faults.size() < MAX_FAULTS) {
      faults.add(what);
    }
  }

  private static boolean isFiller(ShardEvent event) {
    return FILLER.equals(event.payload());
  }

  private void tell(Waiter waiter) {
    if (count.get() >= waiter.count) {
      waiters.remove(waiter);
      waiter.promise.tryComplete(all());
    }
  }

  /**
   * Tells when so many events were delivered since the sink was made.
   *
   * @param least how many, at least
   * @return completes with {@link #all}, on any thread
   */
  public Future<List<ShardEvent>> delivered(int least) {
    Waiter waiter = new Waiter(least, Promise.promise());
    waiters.add(waiter);
    tell(waiter);
    return waiter.promise.future();
  }

  /**
   * Blocks until so many events were delivered since the sink was made.
   *
   * @param least how many, at least
   * @return {@link #all}
   * @throws AssertionError if there are fewer after 10 seconds
   */
  public List<ShardEvent> await(int least) {
    try {
      return delivered(least).await(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new AssertionError(
          least + " events were awaited, but " + count + " were delivered: " + texts(), e);
    }
  }

  /** {@return all events, shard by shard, in order; a copy} */
  public List<ShardEvent> all() {
    return lanes.keySet().stream().sorted().flatMap(id -> ofShard(id).stream()).toList();
  }

  /**
   * The events of a shard.
   *
   * @param id the shard
   * @return its events, in order; a copy
   */
  public List<ShardEvent> ofShard(int id) {
    Lane lane = lane(id);
    synchronized (lane) {
      return lane.events.stream().filter(event -> !isFiller(event)).toList();
    }
  }

  /**
   * The events of a key.
   *
   * @param key the key; null for the events without one
   * @return its events, in the order in which they were delivered; a copy
   */
  public List<ShardEvent> ofKey(String key) {
    return all().stream().filter(event -> Objects.equals(event.key(), key)).toList();
  }

  /** {@return the bytes of {@link #all all events} as texts} */
  public List<String> texts() {
    return texts(all());
  }

  /**
   * The texts of a key.
   *
   * @param key as for {@link #ofKey}
   * @return the bytes of its events as texts
   */
  public List<String> texts(String key) {
    return texts(ofKey(key));
  }

  private static List<String> texts(List<ShardEvent> events) {
    return events.stream().map(event -> event.payload().toString()).toList();
  }

  /** {@return how many events were delivered} */
  public long count() {
    return count.get();
  }

  /** {@return what the bus did and must not do, 20 faults at most; empty if all is well} */
  public List<String> faults() {
    return List.copyOf(faults);
  }

  /**
   * Hangs, and fills the rings of active shards. Until it behaves in another way, the bus refuses
   * events with {@code BACKPRESSURE}, or does what else its mode of backpressure says. What fills
   * the rings has no key, passes no interceptor, and is not recorded. Blocks.
   *
   * @param bus the bus to which this sink belongs
   * @param shards the shards; none for all of them
   * @throws IllegalStateException if a ring is not full after 10 seconds
   */
  public void fillRings(ShardBus bus, int... shards) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    hang();
    for (Shard shard : bus.shards().shards()) {
      boolean wanted = shards.length == 0 || IntStream.of(shards).anyMatch(id -> id == shard.id());
      while (wanted && shard.state() == ShardState.ACTIVE && !fill(bus.shards(), shard)) {
        if (System.nanoTime() > deadline) {
          throw new IllegalStateException("the ring of " + shard + " does not fill");
        }
      }
    }
  }

  /** The shard takes events out of its ring until it holds the batch in flight and the next one. */
  private boolean fill(ShardManager shards, Shard shard) {
    long hash = ThreadLocalRandom.current().nextLong();
    if (shards.selectShardByHash(hash) == shard.id()) {
      RawEvent filler = RawEvent.ofHash(FILLER, hash);
      while (!shard.isFull()) {
        shards.tryIngestRaw(filler, null);
      }
    }
    Lane lane = lane(shard.id());
    Context loop = lane.loop;
    if (loop == null) {
      Thread.onSpinWait(); // until the first write
      return false;
    }
    Promise<Void> turn = Promise.promise();
    loop.runOnContext(first -> loop.runOnContext(second -> turn.complete()));
    turn.future().await();
    return lane.writing.get() && shard.isFull();
  }

  /** {@return how often it was opened} */
  public int opened() {
    return opened.get();
  }

  /** {@return how often it was closed} */
  public int closed() {
    return closed.get();
  }

  /** {@return what the bus lent to it; null before it is opened} */
  public SinkContext context() {
    return context;
  }
}
