package io.shardbus.eventbus;

import io.shardbus.delivery.WaitingRoom;
import io.shardbus.event.Ack;
import io.shardbus.event.IdStore;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.options.SharedSecret;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The router's side of {@link PublisherProtocol}. Runs on the router's context. */
final class PublisherSessions {

  /** Beyond this, the publisher that was silent for the longest time is forgotten. */
  private static final int MAX_SESSIONS = 4096;

  /** A publisher that sent nothing for longer is no load. */
  private static final long ACTIVE_NANOS = TimeUnit.SECONDS.toNanos(10);

  private static final String NOT_KNOWN = "the publisher is not known here";

  private final Context context;
  private final WaitingRoom waitingRoom;
  private final String address;
  private final @Nullable String secret;
  private final ClusterNodes nodes;
  private final Supplier<@Nullable IdStore> store;
  private final Supplier<Future<Void>> flush;
  private final BooleanSupplier closed;
  private final Map<String, Session> sessions = new LinkedHashMap<>(16, 0.75f, true);

  /** One publisher, and its last batches: the last of them has the number next - 1. */
  private static final class Session {

    /**
     * Large enough from the start: a batch that is taken must be remembered, and memory may be
     * missing.
     */
    final Deque<PublisherBatch> last = new ArrayDeque<>(PublisherProtocol.MAX_BATCHES + 1);

    long next;
    long lastBatch = System.nanoTime();

    /** Where the publisher is asked to go; null to stay. */
    @Nullable String moveTo;

    /** Of all that was taken before the publisher asked; null if it has not. */
    @Nullable Future<Void> settling;

    boolean isActive(long now) {
      return now - lastBatch < ACTIVE_NANOS;
    }

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

  /**
   * @param address where the publishers send their batches
   * @param secret that publishers must know; null for none
   * @param nodes answers what the bus says about itself
   * @param store the one behind the bus, if it recognises ids
   * @param flush completes when all that the bus has taken is settled
   * @param closed whether the bus takes no more events
   */
  PublisherSessions(
      Context context,
      WaitingRoom waitingRoom,
      String address,
      @Nullable String secret,
      ClusterNodes nodes,
      Supplier<@Nullable IdStore> store,
      Supplier<Future<Void>> flush,
      BooleanSupplier closed) {
    this.context = context;
    this.waitingRoom = waitingRoom;
    this.address = address;
    this.secret = secret;
    this.nodes = nodes;
    this.store = store;
    this.flush = flush;
    this.closed = closed;
  }

  /** Counts the publishers that send here and were not asked to leave. */
  int load() {
    long now = System.nanoTime();
    return (int)
        sessions.values().stream()
            .filter(session -> session.moveTo == null && session.isActive(now))
            .count();
  }

  /** Asks a publisher, at the end of its next batch, to go to another router. */
  void moveOneTo(String router) {
    long now = System.nanoTime();
    sessions.values().stream()
        .filter(session -> session.moveTo == null && session.isActive(now))
        .findFirst()
        .ifPresent(session -> session.moveTo = router);
  }

  boolean isEmpty() {
    return sessions.isEmpty();
  }

  private boolean open(String publisher) {
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

  /** A batch, or a question. */
  void message(Message<Object> message) {
    String publisher = String.valueOf(message.headers().get(PublisherProtocol.PUBLISHER));
    String question = message.headers().get(PublisherProtocol.ASK);
    try {
      if (question == null) {
        take(publisher, message);
      } else {
        answer(publisher, question, message);
      }
    } catch (InvalidEventException e) {
      message.fail(Outcome.INVALID.status(), e.getMessage());
    }
  }

  private void answer(String publisher, String question, Message<Object> message) {
    Session session = sessions.get(publisher);
    switch (question) {
      case PublisherProtocol.ALIVE -> message.reply(null);
      case PublisherProtocol.OPEN -> openFor(publisher, message);
      case PublisherProtocol.REPORT -> nodes.reply(message);
      case PublisherProtocol.SETTLED -> {
        if (session == null) {
          message.fail(PublisherProtocol.UNKNOWN_PUBLISHER, NOT_KNOWN);
        } else {
          message.reply(new JsonObject().put(PublisherProtocol.SETTLED, isSettled(session)));
        }
      }
      default ->
          throw new InvalidEventException(
              "header ask: \"" + question + "\" must be alive, settled, open or report", -1);
    }
  }

  private boolean isSettled(Session session) {
    Future<Void> settling = session.settling;
    if (settling == null) {
      settling = flush.get();
      session.settling = settling;
    }
    if (settling.failed()) {
      session.settling = null;
    }
    return settling.succeeded();
  }

  boolean isClosed() {
    return closed.getAsBoolean();
  }

  /** Refuses if the bus is closed, there are too many, or the secret is wrong. */
  void openFor(String publisher, Message<Object> message) {
    if (isClosed()) {
      message.fail(Outcome.CLOSED.status(), Outcome.CLOSED.meaning());
    } else if (!SharedSecret.matches(secret, message.headers().get(SharedSecret.NAME))) {
      message.fail(Outcome.UNAUTHORIZED.status(), Outcome.UNAUTHORIZED.meaning());
    } else if (open(publisher)) {
      message.reply(PublisherProtocol.welcome(address, store.get()));
    } else {
      message.fail(Outcome.BACKPRESSURE.status(), "too many publishers wait for room");
    }
  }

  private void take(String publisher, Message<Object> message) {
    MultiMap headers = message.headers();
    long number = number(headers, PublisherProtocol.NUMBER);
    Session session = sessions.get(publisher);
    if (session == null) {
      message.fail(PublisherProtocol.UNKNOWN_PUBLISHER, NOT_KNOWN);
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
    PublisherBatch batch =
        new PublisherBatch(context, events.size(), whenDelivered, () -> session.moveTo);
    if (!waitingRoom.ingestAllWithin(batch.offers(events), TimeUnit.MILLISECONDS.toNanos(wait))) {
      message.fail(Outcome.BACKPRESSURE.status(), "too many events wait for room");
      return;
    }
    session.lastBatch = System.nanoTime();
    if (session.settling != null) { // it has given up to go, for its events were not settled
      session.settling = null;
      session.moveTo = null;
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
