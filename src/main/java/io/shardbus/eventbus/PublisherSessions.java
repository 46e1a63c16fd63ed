package io.shardbus.eventbus;

import io.shardbus.delivery.WaitingRoom;
import io.shardbus.event.Ack;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.vertx.core.Context;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.Message;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The router's side of {@link PublisherProtocol}. Runs on the router's context. */
final class PublisherSessions {

  /** Beyond this, the publisher that was silent for the longest time is forgotten. */
  private static final int MAX_SESSIONS = 4096;

  private final Context context;
  private final WaitingRoom queue;
  private final Map<String, Session> sessions = new LinkedHashMap<>(16, 0.75f, true);

  /** One publisher, and its last batches: the last of them has the number next - 1. */
  private static final class Session {

    final Deque<PublisherBatch> last = new ArrayDeque<>();
    long next;

    boolean isIdle() {
      return last.stream().allMatch(PublisherBatch::isAnswered);
    }

    @Nullable PublisherBatch find(long number) {
      long back = next - 1 - number;
      if (back >= last.size()) {
        return null;
      }
      Iterator<PublisherBatch> newestFirst = last.descendingIterator();
      for (long i = 0; i < back; i++) {
        newestFirst.next();
      }
      return newestFirst.next();
    }

    void add(PublisherBatch batch) {
      last.add(batch);
      if (last.size() > PublisherProtocol.MAX_BATCHES) {
        last.remove();
      }
      next++;
    }
  }

  PublisherSessions(Context context, WaitingRoom queue) {
    this.context = context;
    this.queue = queue;
  }

  boolean isEmpty() {
    return sessions.isEmpty();
  }

  /** False if there are too many. */
  boolean open(String publisher) {
    if (sessions.get(publisher) != null) {
      return true;
    }
    if (sessions.size() >= MAX_SESSIONS && !forgetOne()) {
      return false;
    }
    sessions.put(publisher, new Session());
    return true;
  }

  private boolean forgetOne() {
    for (var oldest = sessions.values().iterator(); oldest.hasNext(); ) {
      if (oldest.next().isIdle()) {
        oldest.remove();
        return true;
      }
    }
    return false;
  }

  void batch(Message<Object> message) {
    try {
      take(message);
    } catch (InvalidEventException e) {
      message.fail(Outcome.INVALID.status(), e.getMessage());
    }
  }

  private void take(Message<Object> message) {
    MultiMap headers = message.headers();
    long number = number(headers, PublisherProtocol.NUMBER);
    Session session = sessions.get(String.valueOf(headers.get(PublisherProtocol.PUBLISHER)));
    if (session == null) {
      message.fail(PublisherProtocol.UNKNOWN_PUBLISHER, "the publisher is not known here");
    } else if (number > session.next) {
      message.fail(PublisherProtocol.GAP, "batch " + session.next + " is missing");
    } else if (number == session.next) {
      takeNew(session, message);
    } else {
      PublisherBatch again = session.find(number);
      if (again == null) {
        throw new InvalidEventException("batch " + number + " was answered long ago", -1);
      }
      again.ask(message);
    }
  }

  private void takeNew(Session session, Message<Object> message) {
    if (!(message.body() instanceof Buffer body)) {
      throw new InvalidEventException("a batch: framed needs a body of type Buffer", -1);
    }
    long wait = number(message.headers(), PublisherProtocol.WAIT);
    List<RawEvent> events = PublisherProtocol.decode(body);
    if (events.size() > WaitingRoom.MAX_WAITING) {
      throw new InvalidEventException(
          events.size() + " events in a batch: at most " + WaitingRoom.MAX_WAITING + " are taken",
          -1);
    }
    boolean whenDelivered = Ack.DELIVERED.word().equals(message.headers().get("ack"));
    PublisherBatch batch = new PublisherBatch(context, events.size(), whenDelivered);
    if (!queue.ingestAllWithin(batch.offers(events), TimeUnit.MILLISECONDS.toNanos(wait))) {
      message.fail(Outcome.BACKPRESSURE.status(), "too many events wait for room");
      return;
    }
    session.add(batch);
    batch.ask(message);
    batch.handedOver();
  }

  private static long number(MultiMap headers, String name) {
    String text = headers.get(name);
    try {
      long number = Long.parseLong(String.valueOf(text));
      if (number >= 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      // told below
    }
    throw new InvalidEventException(
        "header " + name + ": \"" + text + "\" must be a number, at least 0", -1);
  }
}
