package io.shardbus.delivery;

import io.shardbus.event.IngestResult;
import io.shardbus.event.Intercepted;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.DeliveryAck;
import io.shardbus.shard.SafeLog;
import io.shardbus.shard.ShardManager;
import io.vertx.core.Vertx;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/*
 * Ownership: the monitor guards all that waits. `waiting` is written under it and read without.
 *
 * Ordering: an event that comes while none waits is pushed without the monitor. An event that comes later may find that
 * one waits, and queues behind it in the lane of its ring. A push under the monitor names the routing epoch by which the
 * lanes are arranged, so a change of the routing refuses it, and the lanes are arranged anew by arrival.
 *
 * Why it is safe: whatever waits has a timer: the one that adds the first event sets it, each retry that leaves some
 * sets the next, and where that fails for lack of memory, `rescue` does. Callbacks run outside the monitor, because they
 * may bring more events.
 */
/**
 * The waiting room: events that wait for room in a ring, from all callers. Events for one ring are
 * served in the order in which they came. None overtakes another, also when the routing changes
 * meanwhile. While events wait, the first one of each ring is tried once a millisecond. While none
 * waits, nothing runs. While ids are recalled, only events of the same key wait behind an event
 * with an id. Safe for any thread.
 */
public final class WaitingRoom {

  /**
   * The most events that can wait. The waiting room must be bounded, as the rings are. Events of
   * streams and of the gateway's clients do not count, because these have bounds of their own.
   */
  public static final int MAX_WAITING = 65_536;

  /** A bus, for parts of Shardbus that wait with its other callers. */
  public interface Holder {

    /** {@return the one place where the bus's events wait for room} */
    WaitingRoom waitingRoom();

    /** {@return where the bus runs} */
    Vertx vertx();
  }

  /** The deadline of an event that waits as long as it takes. */
  static final long NO_DEADLINE = Long.MAX_VALUE;

  private static final long RETRY_MILLIS = 1;

  private static final IngestResult UNKNOWN = IngestResult.refused(Outcome.UNKNOWN);

  private static final Logger LOG = LoggerFactory.getLogger(WaitingRoom.class);

  private final Vertx vertx;
  private final ShardManager manager;
  private final long maxWaitingBytes;
  private final long origin = System.nanoTime();

  private final AtomicLong timers = new AtomicLong();

  /** Sets the timer where that has failed. */
  private final Rescue.Call rescue = new Rescue.Call(this::rescued);

  private final WaitingLanes lanes;

  private final TreeSet<Waiting> byDeadline =
      new TreeSet<>(Comparator.comparingLong(Waiting::deadline).thenComparing(Waiting::arrival));

  /** Changed under the monitor only. */
  private final AtomicInteger waiting = new AtomicInteger();

  /** Of the waiting events, without those of streams, and of those for which room is kept. */
  private int bounded;

  private long boundedBytes;
  private boolean armed;

  /**
   * @param vertx where it waits
   * @param manager where events go
   */
  public WaitingRoom(Vertx vertx, ShardManager manager) {
    this.vertx = vertx;
    this.manager = manager;
    maxWaitingBytes = manager.limits().maxRingBytes();
    lanes = new WaitingLanes(manager);
  }

  /**
   * Takes an event when there is room for it.
   *
   * @param event the event
   * @param ack told the fate of an accepted event; null to be told nothing
   * @param then told the outcome, on any thread: ACCEPTED; or a refusal for which waiting does not
   *     help; or BACKPRESSURE if too many events wait already, or if it was cancelled
   * @return cancels the event if it still waits; for any thread
   */
  public Runnable ingest(RawEvent event, @Nullable DeliveryAck ack, Consumer<IngestResult> then) {
    Waiting one = ingestBy(NO_DEADLINE, event, ack, false, then);
    return one == null ? () -> {} : () -> cancel(one);
  }

  /**
   * As {@link #ingest}, for an event that the bus had before: interceptors are not asked again.
   *
   * @param event the event
   * @param ack told the fate of an accepted event
   * @param then told the outcome, on any thread
   */
  public void ingestAgain(RawEvent event, DeliveryAck ack, Consumer<IngestResult> then) {
    pushBy(NO_DEADLINE, event, ack, false, then);
  }

  /**
   * Takes an event of a stream, or of a client of the gateway, when there is room for it. These
   * bound themselves, so the event is not refused if others have filled the waiting room.
   *
   * @param event the event
   * @param ack told the fate of an accepted event; null to be told nothing
   * @param then told the outcome, on any thread
   * @return cancels the event if it still waits, and returns its result; for any thread. Null if it
   *     did not have to wait
   */
  public @Nullable Supplier<IngestResult> ingestOfStream(
      RawEvent event, @Nullable DeliveryAck ack, Consumer<IngestResult> then) {
    Waiting one = ingestBy(NO_DEADLINE, event, ack, true, then);
    return one == null ? null : () -> cancel(one);
  }

  /**
   * Takes an event if there is room for it in time. After a refusal the event never enters a ring
   * later.
   *
   * @param event the event
   * @param nanos how long it may wait; not at all if not above 0
   * @param ack told the fate of an accepted event; null to be told nothing
   * @param then told the outcome, on any thread
   */
  public void ingestWithin(
      RawEvent event, long nanos, @Nullable DeliveryAck ack, Consumer<IngestResult> then) {
    ingestBy(deadlineIn(nanos), event, ack, false, then);
  }

  /** {@return how many events wait, those of streams among them} */
  public int waiting() {
    return waiting.get();
  }

  /** The event, if it waits. */
  private @Nullable Waiting ingestBy(
      long deadline,
      RawEvent event,
      @Nullable DeliveryAck ack,
      boolean ofStream,
      Consumer<IngestResult> then) {
    Intercepted answer = manager.intercept(event);
    if (answer instanceof Intercepted.Refusal refusal) {
      then.accept(manager.refuse(refusal));
      return null;
    }
    return pushBy(deadline, (RawEvent) answer, ack, ofStream, then);
  }

  private @Nullable Waiting pushBy(
      long deadline,
      RawEvent event,
      @Nullable DeliveryAck ack,
      boolean ofStream,
      Consumer<IngestResult> then) {
    if (waiting.get() == 0) { // no event to overtake: no lock
      IngestResult result = manager.tryIngestRaw(event, ack);
      if (!worthWaiting(result)) {
        then.accept(result);
        return null;
      }
    }
    Waiting one = new Waiting(event, ack, then, deadline, ofStream);
    IngestResult result;
    synchronized (this) {
      result = pushOrWait(one);
    }
    if (result == null) {
      return one;
    }
    then.accept(result);
    return null;
  }

  private IngestResult cancel(Waiting one) {
    List<Waiting> left = new ArrayList<>(1);
    IngestResult result;
    synchronized (this) {
      giveUp(one, left);
      result = one.result;
    }
    tellAll(left);
    return Objects.requireNonNull(result, "it waits neither, nor was it served");
  }

  /**
   * An event of a batch, and its callbacks.
   *
   * @param event the event
   * @param ack told the fate of an accepted event; null to be told nothing
   * @param then told the outcome, on any thread
   */
  public record Offer(RawEvent event, @Nullable DeliveryAck ack, Consumer<IngestResult> then) {}

  /**
   * Takes the events of a batch, each if there is room for it in time. If the waiting room cannot
   * hold all of them, it takes none, and asks no interceptor. If interceptors make events larger,
   * the waiting room may be too small for some of them. It refuses these with BACKPRESSURE. If
   * memory runs out, the fate of an event may be UNKNOWN: then it may have been taken.
   *
   * @param offers the events
   * @param nanos how long each may wait; not at all if not above 0
   * @return false if it took none because they could not all wait
   */
  public boolean ingestAllWithin(List<Offer> offers, long nanos) {
    long bytes = 0;
    for (Offer offer : offers) {
      bytes += offer.event().totalSize();
    }
    int count = offers.size();
    Waiting[] all = new Waiting[count];
    Intercepted.Refusal[] refusals = new Intercepted.Refusal[count];
    if (!reserve(count, bytes)) {
      return false;
    }
    try {
      long deadline = deadlineIn(nanos);
      for (int i = 0; i < count; i++) {
        Offer offer = offers.get(i);
        RawEvent event = offer.event();
        Intercepted answer = manager.intercept(event);
        if (answer instanceof Intercepted.Refusal refusal) {
          refusals[i] = refusal;
        } else {
          event = (RawEvent) answer;
        }
        all[i] = new Waiting(event, offer.ack(), offer.then(), deadline, false);
      }
    } catch (Throwable e) {
      release(count, bytes);
      throw e;
    }
    synchronized (this) {
      release(count, bytes);
      for (int i = 0; i < count; i++) {
        all[i].result = pushOrWaitOf(all[i], refusals[i]);
        if (all[i].result == null) {
          all[i] = null; // it waits
        }
      }
    }
    for (Waiting one : all) {
      if (one != null) {
        tell(one);
      }
    }
    return true;
  }

  /** Does not throw: events before this one are taken, so their batch must not come again. */
  private @Nullable IngestResult pushOrWaitOf(Waiting one, Intercepted.@Nullable Refusal refusal) {
    try {
      return refusal == null ? pushOrWait(one) : manager.refuse(refusal);
    } catch (Throwable e) { // memory may be missing
      SafeLog.error(LOG, "an event of a batch may have been taken or not", e);
      return UNKNOWN;
    }
  }

  /** Keeps room while interceptors are asked, which is not done under the monitor. */
  private synchronized boolean reserve(int events, long bytes) {
    if (bounded > 0 && (bounded + events > MAX_WAITING || boundedBytes + bytes > maxWaitingBytes)) {
      return false;
    }
    bounded += events;
    boundedBytes += bytes;
    return true;
  }

  private synchronized void release(int events, long bytes) {
    bounded -= events;
    boundedBytes -= bytes;
  }

  private long now() {
    return System.nanoTime() - origin;
  }

  private long deadlineIn(long nanos) {
    long deadline = now() + nanos;
    return nanos > 0 && deadline < 0 ? NO_DEADLINE : deadline;
  }

  /** Null if the event waits. */
  private @Nullable IngestResult pushOrWait(Waiting one) {
    RawEvent event = one.event;
    if (event.totalSize() > manager.limits().maxEventBytes()) {
      return manager.tryIngestRaw(event, one.ack);
    }
    while (true) {
      lanes.arrange();
      Object lane = lanes.laneOf(event);
      if (lanes.isFree(lane)) {
        IngestResult result = manager.tryIngestRaw(event, one.ack, lanes.routingEpoch());
        if (result == null) {
          continue; // the lanes do not fit the routing any more
        }
        if (!worthWaiting(result)) {
          return result;
        }
      }
      return waitIn(lane, one) ? null : manager.refuse(event);
    }
  }

  private boolean waitIn(Object lane, Waiting one) {
    int bytes = one.event.totalSize();
    boolean full =
        bounded >= MAX_WAITING || (bounded > 0 && boundedBytes + bytes > maxWaitingBytes);
    if ((full && !one.ofStream) || one.deadline <= now()) {
      return false;
    }
    try {
      lanes.add(lane, one);
      if (one.deadline != NO_DEADLINE) {
        byDeadline.add(one);
      }
    } catch (Throwable e) { // a map that fails to grow may hold it anyway
      byDeadline.remove(one);
      lanes.remove(one);
      throw e;
    }
    waiting.incrementAndGet();
    if (!one.ofStream) {
      bounded++;
      boundedBytes += bytes;
    }
    arm();
    return true;
  }

  private static boolean worthWaiting(IngestResult result) {
    return result.outcome() == Outcome.BACKPRESSURE
        || result.outcome() == Outcome.SAMPLED
        || result.outcome() == Outcome.UNROUTED;
  }

  private void arm() {
    if (!armed) {
      armed = true;
      try {
        NoContext.THREADS.execute(this::armAgain);
      } catch (Throwable e) {
        rescue.ask();
      }
    }
  }

  private void rescued() {
    if (waiting.get() > 0) {
      try {
        setTimer();
      } catch (RejectedExecutionException e) {
        refuseAll();
      }
    }
  }

  /** Vert.x has ended, and nothing will make room any more. */
  private void refuseAll() {
    List<Waiting> left = new ArrayList<>();
    synchronized (this) {
      lanes.all().forEach(one -> giveUp(one, left));
      armed = false;
    }
    tellAll(left);
  }

  private void armAgain() {
    try {
      setTimer();
    } catch (Throwable e) {
      rescue.ask();
    }
  }

  /** Not on the context of a verticle: the timer would end with it. */
  private void setTimer() {
    long mine = timers.incrementAndGet();
    vertx.setTimer(
        RETRY_MILLIS,
        timer -> {
          if (mine == timers.get()) { // else a rescue has set another one
            retry();
          }
        });
  }

  private void retry() {
    List<Waiting> left;
    try {
      left = new ArrayList<>();
    } catch (Throwable e) { // no timer is set
      rescue.ask();
      throw e;
    }
    try {
      serveWhatWaits(left);
    } finally {
      // Outside the lock: the callbacks may ingest more events.
      tellAll(left);
    }
  }

  private static void tellAll(List<Waiting> left) {
    for (int i = 0; i < left.size(); i++) { // without an iterator, which needs memory
      tell(left.get(i));
    }
  }

  /** Does not throw: others are to be told, too. */
  private static void tell(Waiting one) {
    try {
      one.then.accept(one.result);
    } catch (Throwable e) {
      SafeLog.error(LOG, "the answer to an event that waited for room failed", e);
    }
  }

  private synchronized void serveWhatWaits(List<Waiting> left) {
    try {
      do {
        lanes.arrange();
      } while (!lanes.serveAll(lane -> serve(lane, left)));
      refuseOverdue(left);
    } finally {
      armed = waiting.get() > 0;
      if (armed) {
        armAgain();
      }
    }
  }

  /** If the routing has changed, an event of this lane could overtake one of another lane. */
  private boolean serve(Set<Waiting> lane, List<Waiting> left) {
    for (Iterator<Waiting> each = lane.iterator(); each.hasNext(); ) {
      Waiting one = each.next();
      left.add(one); // before it is taken: memory may run out
      IngestResult result = null;
      try {
        result = manager.tryIngestRaw(one.event, one.ack, lanes.routingEpoch());
      } finally {
        if (result == null || worthWaiting(result)) {
          left.remove(left.size() - 1);
        }
      }
      if (result == null) {
        return false;
      }
      if (worthWaiting(result)) {
        return true;
      }
      each.remove();
      leave(one, result);
    }
    return true;
  }

  private void refuseOverdue(List<Waiting> left) {
    long now = now();
    while (!byDeadline.isEmpty() && byDeadline.first().deadline <= now) {
      giveUp(byDeadline.first(), left);
    }
  }

  /** Does nothing if it does not wait. */
  private void giveUp(Waiting one, List<Waiting> left) {
    if (lanes.remove(one)) {
      left.add(one);
      leave(one, manager.refuse(one.event));
    }
  }

  private void leave(Waiting one, IngestResult result) {
    if (one.deadline != NO_DEADLINE) {
      byDeadline.remove(one);
    }
    waiting.decrementAndGet();
    if (!one.ofStream) {
      bounded--;
      boundedBytes -= one.event.totalSize();
    }
    one.result = result;
  }
}
