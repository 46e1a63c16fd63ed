package io.shardbus.gateway;

import io.shardbus.ShardBus;
import io.shardbus.event.IngestResult;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.DeliveryAck;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/*
 * Pushes the events of one client into the bus, in order. If the bus has no room for an event, a patient feeder holds
 * it and the events behind it, and tries again until there is room. The source must stop meanwhile, so that the feeder
 * holds no more than one read. An impatient feeder reports the refusal. Runs on the event loop of the client.
 */
final class Feeder {

  /** The memory of an event that waits for room, besides its bytes. */
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
   * @param onRoom called when all held events are in the bus
   */
  Feeder(Intake intake, RateLimit.Client rate, boolean patient, Runnable onRoom) {
    this.intake = intake;
    bus = intake.bus();
    this.rate = rate;
    this.patient = patient;
    this.onRoom = onRoom;
  }

  /**
   * @param place the position of the event in the input of the client
   * @param tally counts its fate, now or when there is room
   * @param ack told when it is delivered; null to be told nothing
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
   * Counts an event that cannot be pushed, after the events that wait before it. So the counted
   * events are always the first ones of the client, and the client can go on behind them.
   */
  void refuse(String reason, Tally tally) {
    Held last = held.peekLast();
    (last == null ? tally : last.behind()).refuse(reason, 1);
  }

  private void hold(Held one) {
    held.add(one);
    count(one.bytes());
  }

  /** A client that sends too fast waits alone, and does not hold up others. */
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

  /** The memory of the events that wait for room. */
  long heldBytes() {
    return heldBytes;
  }

  /** The position of the first waiting event; there must be one. */
  long firstHeld() {
    return held.element().place();
  }

  /** Whether events are held, or were refused last, because the client sends too fast. */
  boolean tooFast() {
    return tooFast;
  }

  /**
   * Drops the held events, because the client has gone or was told that they are not taken. They
   * are not offered again, so they count as refused.
   *
   * @return the dropped events by reason, with the refusals behind them
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
