package io.shardbus.gateway;

import io.shardbus.ShardBus;
import io.shardbus.event.IngestResult;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.DeliveryAck;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/*
 * Pushes one client's events into the bus, in order. A patient one holds an event that the bus has no room for, and
 * those behind it, and tries again until it has; its client has to stop the source meanwhile, so that no more is
 * held than came in one read. An impatient one takes the refusal for an answer. Runs on the client's event loop.
 */
final class OrderedIngest {

  /** What an event costs that waits for room, besides its bytes. */
  private static final long OVERHEAD_BYTES = 256;

  private final IngestResources resources;
  private final ShardBus bus;
  private final RateLimit.Client rate;
  private final boolean patient;
  private final Runnable onRoom;
  private final ArrayDeque<Held> held = new ArrayDeque<>();
  private long heldBytes;
  private long counted; // of it, in the waiting room
  private boolean tooFast;
  private boolean ended;

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
      return OVERHEAD_BYTES + event.sizeWithKey();
    }
  }

  /**
   * @param rate how many events this client may send
   * @param patient whether to wait for room
   * @param onRoom called when everything that was held is in
   */
  OrderedIngest(
      IngestResources resources, RateLimit.Client rate, boolean patient, Runnable onRoom) {
    this.resources = resources;
    bus = resources.bus();
    this.rate = rate;
    this.patient = patient;
    this.onRoom = onRoom;
  }

  /**
   * @param place where the event stands in what the client sent
   * @param outcomes where its fate is counted, now or when there is room
   * @param ack told when it is delivered; null if nobody asks
   */
  void push(RawEvent event, long place, OutcomeCounts outcomes, @Nullable DeliveryAck ack) {
    if (!held.isEmpty()) {
      hold(new Held(event, place, outcomes, ack));
    } else if (!tryPush(event, outcomes, ack)) {
      hold(new Held(event, place, outcomes, ack));
      resources.retries().add(this::retry);
    }
  }

  /**
   * Counts an event that cannot be pushed, but not before those that wait: what is counted are the
   * first of the events that the client sent, so that it can go on behind them.
   */
  void refuse(Outcome reason, OutcomeCounts outcomes) {
    Held last = held.peekLast();
    (last == null ? outcomes : last.behind()).refuse(reason, 1);
  }

  private void hold(Held one) {
    held.add(one);
    count(one.bytes());
  }

  /** Those who send too fast wait for themselves, and are not in the way of others. */
  private void count(long change) {
    heldBytes += change;
    long before = counted;
    counted = tooFast ? 0 : heldBytes;
    resources.waiting().add(counted - before);
  }

  /** Whether it waits for room. */
  boolean patient() {
    return patient;
  }

  /** Whether the source has to stop. */
  boolean full() {
    return !held.isEmpty();
  }

  /** The memory of what waits for room. */
  long heldBytes() {
    return heldBytes;
  }

  /** Where the first event stands that waits; there must be one. */
  long firstHeld() {
    return held.element().place();
  }

  /** Whether what is held, or was refused last, is so because the client sends too fast. */
  boolean tooFast() {
    return tooFast;
  }

  /**
   * Lets go of what is held: the client has gone, or was told that it is not taken. Nobody offers
   * it any more, so it counts as refused.
   *
   * @return what was let go, by reason, with the refusals behind it
   */
  OutcomeCounts abandon() {
    ended = true;
    OutcomeCounts left = new OutcomeCounts();
    for (Held one : held) {
      left.refuse(refuse(one.event()), 1);
      left.addRefusalsOf(one.behind());
    }
    held.clear();
    count(-heldBytes);
    return left;
  }

  private Outcome refuse(RawEvent event) {
    if (tooFast) {
      resources.refusals().count(Outcome.RATE);
      return Outcome.RATE;
    }
    return bus.shards().refuse(event).outcome();
  }

  private boolean tryPush(RawEvent event, OutcomeCounts outcomes, @Nullable DeliveryAck ack) {
    tooFast = !rate.tryTake(event.sizeWithKey());
    if (tooFast) {
      if (!patient) {
        resources.refusals().count(Outcome.RATE);
        outcomes.refuse(Outcome.RATE, 1);
      }
      return !patient;
    }
    IngestResult result = patient ? bus.shards().tryIngestRaw(event, ack) : bus.ingest(event, ack);
    switch (result.outcome()) {
      case ACCEPTED:
        outcomes.accept(1);
        return true;
      case BACKPRESSURE:
      case SAMPLED:
      case UNROUTED:
        if (patient) {
          rate.giveBack(event.sizeWithKey());
          return false;
        }
        break;
      default:
    }
    outcomes.refuse(result.outcome(), 1);
    return true;
  }

  /** Whether there is no more to do. */
  private boolean retry() {
    while (!held.isEmpty()) {
      Held next = held.element();
      if (!tryPush(next.event(), next.outcomes(), next.ack())) {
        count(0);
        return false;
      }
      count(-held.remove().bytes());
      next.outcomes().addRefusalsOf(next.behind());
    }
    if (!ended) {
      onRoom.run();
    }
    return true;
  }
}
