package io.shardbus.gateway;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * The messages of one client whose fate is open, and what the client is to be told.
 * Acknowledgements go by message: the events of a message count once they and all messages before
 * are settled. If no event of a message was taken, the message joins the one before it. So there
 * are at most as many open messages as the bus holds events of this client, and the messages behind
 * them that other shards have delivered already, for which there is a limit. For one event loop.
 */
final class AckWindow {

  /** Messages whose fate is open, above which the socket is paused. */
  private static final int MAX_UNSETTLED = 16_384;

  private static final int MAX_ERRORS = 10;

  private final boolean silent;
  private final Deque<Message> unsettled = new ArrayDeque<>();
  private final OutcomeCounts total = new OutcomeCounts();
  private JsonArray errors = new JsonArray();
  private long reported;

  /** A message, and those behind it of which nothing was taken. */
  static final class Message {

    final OutcomeCounts outcomes = new OutcomeCounts();
    final @Nullable DeliveryCounter deliveries;
    private long events;

    /**
     * @param deliveries counts what the sink confirmed; null if an event is done once it is taken
     */
    Message(@Nullable DeliveryCounter deliveries) {
      this.deliveries = deliveries;
    }

    private boolean settled() {
      return outcomes.accepted() + outcomes.refused() == events
          && (deliveries == null || deliveries.settled() == outcomes.accepted());
    }

    private void addTo(OutcomeCounts total) {
      total.addRefusalsOf(outcomes);
      if (deliveries == null) {
        total.accept(outcomes.accepted());
      } else {
        total.accept(deliveries.deliveredCount());
        total.addRefusalsOf(deliveries.failures());
      }
    }
  }

  /**
   * @param silent whether the client is told of refusals only
   */
  AckWindow(boolean silent) {
    this.silent = silent;
  }

  /**
   * Takes the next message.
   *
   * @param events how many it has, with the refused ones
   */
  void add(Message message, long events) {
    message.events = events;
    Message last = unsettled.peekLast();
    if (last == null && message.settled()) {
      message.addTo(total);
    } else if (last != null && message.outcomes.refused() == events) {
      last.events += events;
      last.outcomes.addRefusalsOf(message.outcomes);
    } else {
      unsettled.add(message);
    }
  }

  /** Notes why an event was refused. The client is told of a few. */
  void addError(long event, @Nullable String why) {
    if (errors.size() < MAX_ERRORS) {
      errors.add(new JsonObject().put("event", event).put("error", why));
    }
  }

  /** Counts the messages whose fate is known now. */
  void settle() {
    while (!unsettled.isEmpty() && unsettled.element().settled()) {
      unsettled.remove().addTo(total);
    }
  }

  boolean isEmpty() {
    return unsettled.isEmpty();
  }

  boolean isFull() {
    return unsettled.size() >= MAX_UNSETTLED;
  }

  private long countToTell() {
    return silent ? total.refused() : total.accepted() + total.refused();
  }

  boolean hasNews() {
    return countToTell() != reported;
  }

  /** What the client is told; it counts as told. */
  JsonObject report() {
    reported = countToTell();
    JsonObject frame = new JsonObject();
    if (!silent) {
      frame.put("acked", total.accepted());
    }
    JsonObject rejected = total.refusalsJson();
    if (!rejected.isEmpty()) {
      frame.put("rejected", rejected);
    }
    if (!errors.isEmpty()) {
      frame.put("errors", errors);
      errors = new JsonArray();
    }
    return frame;
  }
}
