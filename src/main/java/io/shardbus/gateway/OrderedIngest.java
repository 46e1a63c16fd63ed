package io.shardbus.gateway;

import io.shardbus.ShardBus;
import io.shardbus.event.IngestResult;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.net.RateLimit;
import io.shardbus.shard.DeliveryAck;
import io.vertx.core.Context;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/*
 * Pushes the events of one client into the bus, in order. If there is no room for an event and the client is patient,
 * the event waits in the waiting room of the bus, and the events behind it are held here until it is in. The source must
 * stop meanwhile, so that no more than one read is held. If the client is impatient, the refusal is reported.
 *
 * Ownership: all fields belong to the event loop of the client. The bus reports the result of an event that waited on
 * another thread, which hands the result to the event loop.
 */
final class OrderedIngest {

  /** The memory of an event that waits for room, besides its bytes. */
  private static final long OVERHEAD_BYTES = 256;

  /** How long a client waits that sends too fast; then its limit has tokens for that time. */
  private static final long TOO_FAST_MILLIS = 10;

  private final IngestResources resources;
  private final ShardBus bus;
  private final Context context;
  private final RateLimit.Client rate;
  private final boolean patient;
  private final Runnable onRoom;
  private final ArrayDeque<Held> held = new ArrayDeque<>();
  private long heldBytes;
  private long counted; // of it, in the memory of all
  private boolean tooFast;
  private boolean ended;
  private @Nullable Admission waiting;
  private @Nullable Supplier<IngestResult> cancel;
  private long firstLetGo;

  /** An event that waits, and the refusals behind it. */
  private record Held(
      RawEvent event,
      long place,
      OutcomeCounts outcomes,
      @Nullable DeliveryAck ack,
      OutcomeCounts behind) {

    Held(RawEvent event, long place, OutcomeCounts outcomes, @Nullable DeliveryAck ack) {
      this(event, place, outcomes, ack, new OutcomeCounts());
    }

    long bytes() {
      return OVERHEAD_BYTES + event.totalSize();
    }

    void settle(Outcome outcome) {
      count(outcome, outcomes);
      outcomes.addRefusalsOf(behind);
    }
  }

  /** The first held event, which waits in the bus. */
  private final class Admission implements Consumer<IngestResult> {

    private @Nullable Outcome outcome;
    private boolean late;

    @Override
    public void accept(IngestResult result) {
      synchronized (this) {
        outcome = result.outcome();
        if (!late) {
          return;
        }
      }
      context.runOnContext(now -> admitted(this, result.outcome()));
    }

    /** Null if the event waits. Then the event loop gets the result. */
    synchronized @Nullable Outcome outcomeOrWait() {
      late = outcome == null;
      return outcome;
    }
  }

  /**
   * @param rate how many events this client may send
   * @param patient whether to wait for room
   * @param onRoom called when all held events are in the bus
   */
  OrderedIngest(
      IngestResources resources, RateLimit.Client rate, boolean patient, Runnable onRoom) {
    this.resources = resources;
    bus = resources.bus();
    context = resources.vertx().getOrCreateContext();
    this.rate = rate;
    this.patient = patient;
    this.onRoom = onRoom;
  }

  /**
   * @param place the position of the event in the input of the client
   * @param outcomes counts its fate, now or when there is room
   * @param ack told when it is delivered; null to be told nothing
   */
  void push(RawEvent event, long place, OutcomeCounts outcomes, @Nullable DeliveryAck ack) {
    if (held.isEmpty()) {
      Outcome outcome = offer(event, ack);
      if (outcome != null) {
        count(outcome, outcomes);
        return;
      }
    }
    Held one = new Held(event, place, outcomes, ack);
    held.add(one);
    count(one.bytes());
  }

  private static void count(Outcome outcome, OutcomeCounts outcomes) {
    if (outcome.taken()) {
      outcomes.accept(1);
    } else {
      outcomes.refuse(outcome, 1);
    }
  }

  /**
   * Counts an event that cannot be pushed, after the events that wait before it. So the counted
   * events are always the first ones of the client, and the client can go on behind them.
   */
  void refuse(Outcome reason, OutcomeCounts outcomes) {
    Held last = held.peekLast();
    (last == null ? outcomes : last.behind()).refuse(reason, 1);
  }

  /** A client that sends too fast waits alone, and does not hold up others. */
  private void count(long change) {
    heldBytes += change;
    long before = counted;
    counted = tooFast ? 0 : heldBytes;
    resources.held().add(counted - before);
  }

  /** Whether the client waits for room. */
  boolean patient() {
    return patient;
  }

  /** Whether the source has to stop. */
  boolean full() {
    return !held.isEmpty();
  }

  /** The memory of the events that wait for room. */
  long heldBytes() {
    return heldBytes;
  }

  /**
   * Drops the held events, because the client has gone or was told that they are not taken. They
   * are not offered again, so they count as refused.
   *
   * @return the dropped events by reason, with the refusals behind them
   */
  OutcomeCounts abandon() {
    ended = true;
    OutcomeCounts left = new OutcomeCounts();
    Supplier<IngestResult> cancelFirst = cancel;
    if (waiting != null && cancelFirst != null) {
      waiting = null;
      Outcome outcome = cancelFirst.get().outcome();
      if (outcome.taken()) { // just before
        takeFirst().settle(outcome);
      } else {
        rate.giveBack(held.element().event().totalSize());
        letGo(takeFirst(), outcome, left);
      }
    }
    while (!held.isEmpty()) {
      Held one = takeFirst();
      letGo(one, refuse(one.event()), left);
    }
    return left;
  }

  private Held takeFirst() {
    Held one = held.remove();
    count(-one.bytes());
    return one;
  }

  private void letGo(Held one, Outcome reason, OutcomeCounts left) {
    if (firstLetGo == 0) {
      firstLetGo = one.place();
    }
    left.refuse(reason, 1);
    left.addRefusalsOf(one.behind());
  }

  /** The position of the first dropped event; 0 if none was dropped. */
  long firstLetGo() {
    return firstLetGo;
  }

  private Outcome refuse(RawEvent event) {
    if (tooFast) {
      resources.refusals().count(Outcome.RATE);
      return Outcome.RATE;
    }
    return bus.shards().refuse(event).outcome();
  }

  /** The result; null if the event must wait, for room or because the client sends too fast. */
  private @Nullable Outcome offer(RawEvent event, @Nullable DeliveryAck ack) {
    tooFast = !rate.tryTake(event.totalSize());
    if (tooFast) {
      if (patient) {
        resources.vertx().setTimer(TOO_FAST_MILLIS, timer -> goOn());
        return null;
      }
      resources.refusals().count(Outcome.RATE);
      return Outcome.RATE;
    }
    if (!patient) {
      return bus.ingest(event, ack).outcome();
    }
    Admission admission = new Admission();
    cancel = resources.waitingRoom().ingestOfStream(event, ack, admission);
    Outcome outcome = admission.outcomeOrWait();
    waiting = outcome == null ? admission : null;
    return outcome;
  }

  private void admitted(Admission one, Outcome outcome) {
    if (waiting == one) { // else it was abandoned
      waiting = null;
      takeFirst().settle(outcome);
      goOn();
    }
  }

  private void goOn() {
    while (!held.isEmpty()) {
      Held next = held.element();
      Outcome outcome = offer(next.event(), next.ack());
      if (outcome == null) {
        count(0);
        return;
      }
      takeFirst().settle(outcome);
    }
    if (!ended) {
      onRoom.run();
    }
  }
}
