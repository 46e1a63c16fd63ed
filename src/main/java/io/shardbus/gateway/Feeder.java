package io.shardbus.gateway;

import io.shardbus.ShardBus;
import io.shardbus.event.IngestResult;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.DeliveryAck;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/*
 * Pushes one client's events into the bus, in order. A patient one holds an event that the bus has no room for, and
 * those behind it, and tries again until it has; its client has to stop the source meanwhile, so that no more is
 * held than came in one read. An impatient one takes the refusal for an answer. Runs on the client's event loop.
 */
final class Feeder {

  /** What an event costs that waits for room, besides its bytes. */
  private static final long OVERHEAD_BYTES = 256;

  private final Intake intake;
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
      RawEvent event, long place, Tally tally, @Nullable DeliveryAck ack, Tally behind) {

    Held(RawEvent event, long place, Tally tally, @Nullable DeliveryAck ack) {
      this(event, place, tally, ack, new Tally());
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
  Feeder(Intake intake, RateLimit.Client rate, boolean patient, Runnable onRoom) {
    this.intake = intake;
    bus = intake.bus();
    this.rate = rate;
    this.patient = patient;
    this.onRoom = onRoom;
  }

  /**
   * @param place where the event stands in what the client sent
   * @param tally where its fate is counted, now or when there is room
   * @param ack told when it is delivered; null if nobody asks
   */
  void push(RawEvent event, long place, Tally tally, @Nullable DeliveryAck ack) {
    if (!held.isEmpty()) {
      hold(new Held(event, place, tally, ack));
    } else if (!tryPush(event, tally, ack)) {
      hold(new Held(event, place, tally, ack));
      intake.retries().add(this::retry);
    }
  }

  /**
   * Counts an event that cannot be pushed, but not before those that wait: what is counted are the
   * first of the events that the client sent, so that it can go on behind them.
   */
  void refuse(String reason, Tally tally) {
    Held last = held.peekLast();
    (last == null ? tally : last.behind()).refuse(reason, 1);
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
    intake.waiting().add(counted - before);
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
  Tally abandon() {
    ended = true;
    Tally left = new Tally();
    for (Held one : held) {
      left.refuse(refuse(one.event()), 1);
      left.addRefusalsOf(one.behind());
    }
    held.clear();
    count(-heldBytes);
    return left;
  }

  private String refuse(RawEvent event) {
    if (tooFast) {
      intake.refusals().count(Refusals.RATE);
      return Refusals.RATE;
    }
    return Refusals.of(bus.shards().refuse(event).outcome());
  }

  private boolean tryPush(RawEvent event, Tally tally, @Nullable DeliveryAck ack) {
    tooFast = !rate.tryTake(event.sizeWithKey());
    if (tooFast) {
      if (!patient) {
        intake.refusals().count(Refusals.RATE);
        tally.refuse(Refusals.RATE, 1);
      }
      return !patient;
    }
    IngestResult result = patient ? bus.shards().tryIngestRaw(event, ack) : bus.ingest(event, ack);
    switch (result.outcome()) {
      case ACCEPTED:
        tally.accept(1);
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
    tally.refuse(Refusals.of(result.outcome()), 1);
    return true;
  }

  /** Whether there is no more to do. */
  private boolean retry() {
    while (!held.isEmpty()) {
      Held next = held.element();
      if (!tryPush(next.event(), next.tally(), next.ack())) {
        count(0);
        return false;
      }
      count(-held.remove().bytes());
      next.tally().addRefusalsOf(next.behind());
    }
    if (!ended) {
      onRoom.run();
    }
    return true;
  }
}
