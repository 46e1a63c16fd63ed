package io.shardbus.shard;

import io.shardbus.event.ShardEvent;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * A bounded ring of events with its consumer, counters and state. While keys are on their way from
 * shard to shard it has several rings: its lanes. The consumer side ({@link #pop}, {@link
 * #popBatch}, {@link #tryDrain}) takes the shard's consumer lock, so that it never runs on two
 * threads at once; everything else may be called from any thread and does not wait.
 */
public final class Shard extends LaneOwner {

  private final int id;
  private final int capacity;
  private final BackpressureMode mode;
  private final long maxLargeBytes;
  private final WakeUp wakeUp;
  private final ShardLedger ledger;
  private final WindowMeter pushLatency = new WindowMeter();
  private final WindowMeter flushLatency = new WindowMeter();

  private volatile ShardState state = ShardState.PROVISIONING;

  private final LaneSet lanes;
  private final ShardConsumer consumer;
  private final AtomicLong turnOvers = new AtomicLong();

  /**
   * @param clock what gives events their timestamps
   */
  Shard(
      int id,
      int capacity,
      BackpressureMode mode,
      long maxLargeBytes,
      ShardLedger ledger,
      LongSupplier clock) {
    this.id = id;
    this.capacity = capacity;
    this.mode = mode;
    this.maxLargeBytes = maxLargeBytes;
    this.ledger = ledger;
    wakeUp = new WakeUp(this::holds, capacity / 2);
    lanes = new LaneSet(newLane(List.of(), List.of()));
    consumer = new ShardConsumer(id, lanes, ledger, wakeUp, clock);
    ledger.open(new ShardLedger.Live(this::accepted, this::size, consumer::drained));
  }

  // ---------------------------------------------------------------- any thread

  /** {@return the shard's id, 0 to 65534} */
  @Override
  public int id() {
    return id;
  }

  /**
   * Events waiting to be drained. An estimate while producers push.
   *
   * @return 0 to {@link #capacity()}; more while keys are on their way from shard to shard
   */
  public int size() {
    return lanes.size();
  }

  /** {@return the size of a ring in events, a power of two} */
  public int capacity() {
    return capacity;
  }

  /** {@return whether no event waits, also none whose push is under way} */
  public boolean isEmpty() {
    return lanes.isEmpty();
  }

  /** {@return how full the shard is, 0 to 1: waiting events / size of one ring} */
  public double fillRatio() {
    return Math.min(1, (double) size() / capacity());
  }

  /**
   * Lanes: 1 at first. Keys that come from another shard get a lane of their own, which stays until
   * it is merged with others.
   *
   * @return how many; 0 once the shard is sealed and settled
   */
  public int laneCount() {
    return lanes.count();
  }

  /**
   * Events that wait because their keys came from another shard, which has not settled its events
   * of these keys yet. They are among {@link #size()}.
   *
   * @return events
   */
  public int fencedEvents() {
    return lanes.fencedEvents();
  }

  /** {@return how long the oldest fence has been closed, in nanoseconds; 0 if none is closed} */
  public long fencedNanos() {
    return lanes.fencedNanos();
  }

  /** {@return how often the shard was given a fresh ring because keys left it} */
  public long turnOvers() {
    return turnOvers.get();
  }

  /**
   * Whether there is no room, in events or in bytes. Room in bytes depends on the event: the last
   * event without room counts.
   *
   * @return true if an event of that size would be refused again
   */
  public boolean isFull() {
    return lanes.main().ring().isFull();
  }

  /** {@return the shard's state} */
  public ShardState state() {
    return state;
  }

  /** {@return counts since the shard was made; unrouted is always 0} */
  public ShardStats stats() {
    return ledger.stats();
  }

  /** {@return where the shard's events went} */
  public ShardAccounting accounting() {
    return ledger.accounting();
  }

  /** Never goes back. */
  long accepted() {
    return lanes.accepted();
  }

  /** Whether so many can be drained. */
  private boolean holds(int events) {
    return lanes.holds(events);
  }

  /** The consumer side. */
  ShardConsumer consumer() {
    return consumer;
  }

  void state(ShardState next) {
    state = next;
  }

  WindowMeter pushLatency() {
    return pushLatency;
  }

  WindowMeter flushLatency() {
    return flushLatency;
  }

  ShardLedger ledger() {
    return ledger;
  }

  // ---------------------------------------------------------------- lanes

  /** The shard that a lane belongs to: only shards make lanes. */
  static Shard of(Lane lane) {
    return (Shard) lane.owner();
  }

  /** The lane for events for which there is no other lane. */
  Lane main() {
    return lanes.main();
  }

  /** The lanes there are, by age. Not to be changed. */
  Lane[] lanes() {
    return lanes.all();
  }

  /** Whether a lane was sealed of which not everything is settled. */
  boolean hasUnsettledLane() {
    return lanes.hasUnsettled();
  }

  /**
   * Makes a lane; {@link #install} is to follow before it is in a routing table.
   *
   * @param fences lanes of other shards that must be settled first
   * @param before lanes of this shard that must be empty first
   */
  Lane newLane(Collection<Lane> fences, Collection<Lane> before) {
    EventRing ring = new EventRing(capacity, mode, maxLargeBytes, ledger.evicted);
    return new Lane(
        this, ring, ledger, wakeUp, fences.toArray(new Lane[0]), before.toArray(new Lane[0]));
  }

  /** Adds a lane for keys that come from other shards. */
  void install(Lane lane) {
    lanes.add(lane);
  }

  /** Adds a lane in place of the main lane and of all open ones, which must then be sealed. */
  void turnOver(Lane next) {
    lanes.addMain(next);
    turnOvers.incrementAndGet();
  }

  @Override
  void tend() {
    consumer.tend();
  }

  @Override
  void wake() {
    wakeUp.wake();
  }

  // ---------------------------------------------------------------- the consumer

  /**
   * Sets what wakes the consumer, and wakes it once. The wake-up runs on a producer's thread when
   * the ring holds what a sleeping consumer waits for, or on the thread of whoever moves keys, so
   * it must be quick and wait for no lock. If it throws, the next push tries again.
   *
   * @param action usually to run the drain on the consumer's context
   */
  public void attachConsumer(Runnable action) {
    wakeUp.attach(action);
  }

  /** Takes the consumer away: events stay in the ring until another one is attached. */
  public void detachConsumer() {
    wakeUp.detach();
  }

  /**
   * Declares the consumer asleep, unless there is work.
   *
   * @param events how many must wait for it to be woken, at least 1; more than half of the ring
   *     counts as that. With more than 1 the consumer must see to it that it comes back by itself
   * @return true if it may sleep: a wake-up will come; false if it must drain again
   */
  public boolean trySleep(int events) {
    return wakeUp.trySleep(events);
  }

  /**
   * Takes events without waiting for the consumer lock. They count as in flight until they are
   * settled by {@link #settle}.
   *
   * @param buffer gets the events, in order; none if there would be a gap in the sequences
   * @param max how many at most
   * @param maxBytes no more are taken once the buffer holds this many bytes of events
   * @return how many were taken; -1 if another thread has the consumer side, in which case the
   *     consumer is woken when that thread lets go
   */
  public int tryDrain(DrainBuffer buffer, int max, long maxBytes) {
    return consumer.tryDrain(buffer, max, maxBytes);
  }

  /**
   * Tells how far the events are settled that {@link #tryDrain} gave.
   *
   * @param sequence the lowest that is not settled; {@link Long#MAX_VALUE} if all are
   */
  public void settledBelow(long sequence) {
    consumer.settledBelow(sequence);
  }

  /** {@return tells later whether all that is there now has left the rings} */
  public FlushMark mark() {
    return new FlushMark(lanes.all());
  }

  /**
   * Counts the fate of events that {@link #tryDrain} took.
   *
   * @param delivered how many the sink confirmed
   * @param deadLettered how many it refused for good
   */
  public void settle(int delivered, int deadLettered) {
    ledger.delivered.addAndGet(delivered);
    ledger.deadLettered.addAndGet(deadLettered);
  }

  /**
   * Counts a batch that the sink took.
   *
   * @param nanos from the hand-over to the answer
   */
  public void recordFlush(long nanos) {
    ledger.batches.incrementAndGet();
    flushLatency.add(nanos);
  }

  /**
   * Takes up to {@code max} events. They count as delivered, and belong to the caller. So if keys
   * move to another shard, that shard may give out their later events before the caller has used
   * these. Waits for the consumer lock.
   *
   * @param max how many at most, at least 1
   * @return the events in order; empty if there are none
   */
  public List<ShardEvent> popBatch(int max) {
    if (max < 1) {
      throw new IllegalArgumentException("max: " + max + " must be at least 1");
    }
    return consumer.pop(max);
  }

  /**
   * Gives up the events in the ring. Their acknowledgements are told, and the events stay in flight
   * for good. Waits for the consumer lock.
   */
  public void abandon() {
    consumer.abandon();
  }

  /** {@return the oldest event, taken as {@link #popBatch} does; empty if there is none} */
  public Optional<ShardEvent> pop() {
    List<ShardEvent> one = popBatch(1);
    return one.isEmpty() ? Optional.empty() : Optional.of(one.get(0));
  }

  // ---------------------------------------------------------------- the end

  /**
   * Closes the shard to producers, for good, as soon as the consumer side is free; what it holds
   * can still be drained. It must have left the routing table. Idempotent.
   */
  void requestSeal() {
    for (Lane lane : lanes.all()) {
      lane.requestSeal();
    }
  }

  /** Whether it is closed to producers. */
  boolean isSealed() {
    return lanes.isSealed();
  }

  /** Closes it to producers. Returns whether all its events are settled. */
  boolean isSettled() {
    requestSeal(); // once more: there may have been no memory for it
    return lanes.count() == 0;
  }

  /** Whether some of its keys wait for other shards. */
  boolean isFenced() {
    return lanes.isFenced();
  }

  @Override
  public String toString() {
    return "shard " + id + " (" + state + ", " + size() + " of " + capacity() + " events)";
  }
}
