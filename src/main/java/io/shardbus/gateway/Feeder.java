package io.shardbus.gateway;

import io.shardbus.ShardBus;
import io.shardbus.event.IngestResult;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.DeliveryAck;
import io.vertx.core.Vertx;
import java.util.ArrayDeque;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/*
 * Pushes one client's events into the bus, in order. A patient one holds an event that the bus has no room for, and
 * those behind it, and tries again every millisecond; its client has to stop the source meanwhile, so that no more than
 * a frame or chunk is held. An impatient one takes the refusal for an answer. Runs on the client's event loop.
 */
final class Feeder {

  static final String TOO_FAST = "rate";

  private static final long RETRY_MILLIS = 1;

  private final Vertx vertx;
  private final ShardBus bus;
  private final boolean patient;
  private final Runnable onRoom;
  private final Queue<Held> held = new ArrayDeque<>();
  private final Map<String, Long> refusals = new TreeMap<>();
  private final RateLimit.Client rate;
  private boolean tooFast;
  private long accepted;
  private long timer = -1;
  private boolean ended;

  private record Held(RawEvent event, @Nullable DeliveryAck ack) {}

  /**
   * @param rate how many events this client may send
   * @param patient whether to wait for room
   * @param onRoom called when everything that was held is in
   */
  Feeder(Vertx vertx, ShardBus bus, RateLimit.Client rate, boolean patient, Runnable onRoom) {
    this.rate = rate;
    this.vertx = vertx;
    this.bus = bus;
    this.patient = patient;
    this.onRoom = onRoom;
  }

  void push(RawEvent event, @Nullable DeliveryAck ack) {
    if (!held.isEmpty() || !tryPush(event, ack)) {
      held.add(new Held(event, ack));
      if (timer < 0) {
        timer = vertx.setTimer(RETRY_MILLIS, id -> retry());
      }
    }
  }

  /** Whether the source has to stop. */
  boolean full() {
    return !held.isEmpty();
  }

  long accepted() {
    return accepted;
  }

  /** How many events were refused, by reason. */
  Map<String, Long> refusals() {
    return refusals;
  }

  /** Whether what is held, or was refused last, is so because the client sends too fast. */
  boolean tooFast() {
    return tooFast;
  }

  long refused() {
    return refusals.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Lets go of what is held: the client has gone, or was told that it is not taken. */
  int abandon() {
    ended = true;
    if (timer >= 0) {
      vertx.cancelTimer(timer);
    }
    int count = held.size();
    held.clear();
    return count;
  }

  private boolean tryPush(RawEvent event, @Nullable DeliveryAck ack) {
    tooFast = !rate.tryTake();
    if (tooFast) {
      return !patient && refused(TOO_FAST);
    }
    IngestResult result = patient ? bus.shards().tryIngestRaw(event, ack) : bus.ingest(event, ack);
    switch (result.outcome()) {
      case ACCEPTED:
        accepted++;
        return true;
      case BACKPRESSURE:
      case SAMPLED:
      case UNROUTED:
        if (patient) {
          rate.giveBack();
          return false;
        }
        break;
      default:
    }
    return refused(result.outcome().name().toLowerCase(Locale.ROOT));
  }

  private boolean refused(String reason) {
    refusals.merge(reason, 1L, Long::sum);
    return true;
  }

  private void retry() {
    timer = -1;
    if (ended) {
      return;
    }
    while (!held.isEmpty()) {
      Held next = held.element();
      if (!tryPush(next.event(), next.ack())) {
        timer = vertx.setTimer(RETRY_MILLIS, id -> retry());
        return;
      }
      held.remove();
    }
    onRoom.run();
  }
}
