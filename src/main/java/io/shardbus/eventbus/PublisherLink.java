package io.shardbus.eventbus;

import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.Outcome;
import io.shardbus.eventbus.PublisherQueue.Pending;
import io.shardbus.options.SharedSecret;
import io.vertx.core.AsyncResult;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonObject;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The publisher's side of {@link PublisherProtocol}: finds a router and keeps a window of numbered
 * batches under way to it. A batch without an answer is sent again under its number. Runs on one
 * context.
 */
final class PublisherLink {

  private static final long RETRY_MILLIS = 20;
  private static final long SEARCH_MILLIS = 100;

  /** A silent router is asked so often until it counts as hung. */
  private static final int QUESTIONS = 5;

  private static final int NO_CODE = -1;
  private static final long MAX_ATTEMPT_MILLIS = 5_000;

  /** A move waits no longer for what the router holds; its sink may be down. */
  private static final long MOST_MOVE_NANOS = TimeUnit.SECONDS.toNanos(2);

  /** A node may learn a little late of an address that it was told to use. */
  private static final long MAX_MISSING_MILLIS = 2_000;

  private final Vertx vertx;
  private final Context context;
  private final EventBusPublisherOptions options;
  private final PublisherQueue queue;
  private final Consumer<@Nullable Throwable> onSettled;
  private final long timeoutMillis;
  private final long attemptMillis;
  private final long silenceMillis;
  private final long questionMillis;

  private final Deque<Sent> window = new ArrayDeque<>();
  private @Nullable PublisherRouter router;
  private Outcome absence = Outcome.NO_BUS;
  private boolean opening;
  private boolean pausing;
  private boolean watching;

  /** When a move that was asked for is given up, by {@link System#nanoTime()}. */
  private long moveDeadline;

  /** A batch on its way. */
  private static final class Sent {

    final PublisherRouter to;
    final long number;
    List<Pending> events;
    boolean underWay;

    /** An attempt may have arrived. */
    boolean uncertain;

    /** Its time was over when it was sent last. */
    boolean overdue;

    Sent(PublisherRouter to, long number, List<Pending> events) {
      this.to = to;
      this.number = number;
      this.events = events;
    }

    /** The events can wait as long as the last of them. */
    long millisLeft() {
      return events.isEmpty()
          ? 0
          : TimeUnit.NANOSECONDS.toMillis(
              events.get(events.size() - 1).deadline() - System.nanoTime());
    }
  }

  /**
   * @param onSettled called after events were settled, with the failure of one of them if there is
   *     one
   */
  PublisherLink(
      Vertx vertx,
      Context context,
      EventBusPublisherOptions options,
      PublisherQueue queue,
      Consumer<@Nullable Throwable> onSettled) {
    this.vertx = vertx;
    this.context = context;
    this.options = options;
    this.queue = queue;
    this.onSettled = onSettled;
    timeoutMillis = options.getTimeout().toMillis();
    silenceMillis = options.getSilence().toMillis();
    questionMillis = Math.max(10, Math.min(silenceMillis, timeoutMillis) / QUESTIONS);
    attemptMillis = Math.min(MAX_ATTEMPT_MILLIS, Math.max(100, timeoutMillis / 10));
  }

  /** Does what there is to do. */
  void run() {
    refuseUntil(System.nanoTime(), router == null ? absence : router.absence());
    if (queue.isEmpty() && window.isEmpty()) {
      return;
    }
    watch();
    PublisherRouter current = router;
    if (current != null && !current.over && !window.isEmpty()) {
      listen(current);
    }
    if (current != null && current.over) {
      leave(current);
    } else if (!pausing && !opening) {
      if (current == null) {
        open(options.getAddress());
      } else if (current.moveTo == null || !window.isEmpty()) {
        send(current);
      } else {
        move(current, current.moveTo);
      }
    }
  }

  /** Nothing is sent any more, and no answer is waited for. */
  void giveUp() {
    List<Sent> sent = new ArrayList<>(window);
    window.clear();
    router = null;
    for (Sent one : sent) {
      fail(one, one.uncertain || one.underWay ? Outcome.UNKNOWN : Outcome.CLOSED);
    }
    refuseAll(Outcome.CLOSED);
  }

  private void listen(PublisherRouter current) {
    if (current.isHung()) {
      current.over = true;
      absence = Outcome.NO_BUS;
    } else {
      current.askIfSilent();
    }
  }

  private void watch() {
    if (!watching) {
      watching = true;
      vertx.setTimer(
          Math.min(SEARCH_MILLIS, Math.max(5, timeoutMillis / 10)),
          timer -> {
            watching = false;
            run();
          });
    }
  }

  private void pause(long millis) {
    if (!pausing) {
      pausing = true;
      vertx.setTimer(
          millis,
          timer -> {
            pausing = false;
            run();
          });
    }
  }

  private void refuseUntil(long deadline, Outcome reason) {
    refuse(queue.overdue(deadline), reason);
  }

  private void refuseAll(Outcome reason) {
    refuseUntil(System.nanoTime() + options.getTimeout().toNanos(), reason);
  }

  private void refuse(List<Pending> queued, Outcome reason) {
    for (Pending one : queued) {
      NotDeliveredException failure = one.failure(reason);
      queue.dropped(one);
      one.promise().fail(failure);
      onSettled.accept(failure);
    }
  }

  // ---------------------------------------------------------------- finding a router

  /**
   * @param address of the bus, or of one router
   */
  private void open(String address) {
    opening = true;
    String publisher = UUID.randomUUID().toString();
    DeliveryOptions question =
        new DeliveryOptions()
            .setSendTimeout(questionMillis)
            .addHeader(PublisherProtocol.PUBLISHER, publisher)
            .addHeader(PublisherProtocol.ASK, PublisherProtocol.OPEN);
    if (options.getSecret() != null) {
      question.addHeader(SharedSecret.NAME, options.getSecret());
    }
    PublisherProtocol.<JsonObject>request(vertx, address, null, question)
        .map(Message::body)
        .onComplete(found -> context.runOnContext(now -> opened(publisher, found)));
  }

  private void opened(String publisher, AsyncResult<JsonObject> welcome) {
    opening = false;
    if (welcome.succeeded()) {
      String address = welcome.result().getString(PublisherProtocol.ADDRESS);
      router =
          new PublisherRouter(vertx, context, publisher, address, silenceMillis, questionMillis);
      router.store = PublisherProtocol.store(welcome.result(), timeoutMillis);
      refuse(queue.elsewhere(router.store), Outcome.UNKNOWN);
    } else {
      int code =
          welcome.cause() instanceof ReplyException refusal ? refusal.failureCode() : NO_CODE;
      if (code == Outcome.UNAUTHORIZED.status()) { // waiting does not help
        refuseAll(Outcome.UNAUTHORIZED);
      }
      absence = code == Outcome.CLOSED.status() ? Outcome.CLOSED : Outcome.NO_BUS;
      pause(SEARCH_MILLIS);
    }
    run();
  }

  /**
   * Once all answers are in, events go to another router, in order, if they were surely not taken,
   * or if the store recognises their ids. All others are unknown. A router that hangs will give no
   * answers.
   */
  private void leave(PublisherRouter current) {
    if (!current.isHung()
        && (window.stream().anyMatch(sent -> sent.underWay)
            || (current.closing && !current.isSettled()))) {
      return;
    }
    List<Pending> again = new ArrayList<>();
    for (Sent sent : window) {
      for (Pending one : sent.events) {
        if (!sent.uncertain && !sent.underWay) {
          again.add(one);
        } else if (current.store != null && one.event().id() != null) {
          again.add(new Pending(one.event(), one.promise(), one.deadline(), current.store));
        } else {
          fail(one, Outcome.UNKNOWN);
        }
      }
    }
    window.clear();
    queue.sendAgain(again);
    router = null;
    if (current.forgetful) {
      open(current.address);
    } else {
      pause(SEARCH_MILLIS);
    }
  }

  /** The order of keys needs that what the router has taken is settled first. */
  private void move(PublisherRouter current, String to) {
    if (current.isSettled()) {
      router = null;
      open(to);
    } else if (System.nanoTime() - moveDeadline > 0 || current.isHung()) {
      current.moveTo = null;
      send(current);
    } else {
      pause(RETRY_MILLIS);
    }
  }

  // ---------------------------------------------------------------- sending

  private void send(PublisherRouter current) {
    if (window.stream().anyMatch(sent -> !sent.underWay)) {
      // Nothing is taken before the first of the window.
      if (!window.element().underWay) {
        window.forEach(this::attemptAgain);
      }
      return;
    }
    // By number: a router remembers no more than that, answered or not.
    while (current.moveTo == null
        && (window.isEmpty()
            || current.next - window.element().number < PublisherProtocol.MAX_BATCHES)) {
      List<Pending> batch = queue.nextBatch();
      if (batch.isEmpty()) {
        return;
      }
      if (window.isEmpty()) {
        current.heard();
      }
      Sent sent = new Sent(current, current.next++, batch);
      window.add(sent);
      attempt(sent);
    }
  }

  private void attemptAgain(Sent sent) {
    if (!sent.underWay) {
      if (sent.millisLeft() <= 0) {
        // The router may know the fate of what has arrived: it is asked once more.
        if (sent.overdue || !sent.uncertain) {
          giveUp(sent);
        }
        sent.overdue = true;
      }
      attempt(sent);
    }
  }

  /** The number must be used all the same: an empty batch takes the place of this one. */
  private void giveUp(Sent sent) {
    fail(sent, sent.uncertain ? Outcome.UNKNOWN : sent.to.absence());
    sent.events = List.of();
  }

  private void attempt(Sent sent) {
    // First, because memory may be missing for it: the batch is then tried again.
    Buffer body = PublisherProtocol.encode(sent.events.stream().map(Pending::event).toList());
    sent.underWay = true;
    DeliveryOptions headers =
        new DeliveryOptions()
            .setSendTimeout(attemptMillis)
            .addHeader("batch", "framed")
            .addHeader(PublisherProtocol.PUBLISHER, sent.to.publisher)
            .addHeader(PublisherProtocol.NUMBER, Long.toString(sent.number))
            .addHeader(PublisherProtocol.WAIT, Long.toString(Math.max(0, sent.millisLeft())))
            .addHeader("ack", options.getAck().word());
    PublisherProtocol.<Buffer>request(vertx, sent.to.address, body, headers)
        .onComplete(answer -> context.runOnContext(now -> answered(sent, answer)));
  }

  private void answered(Sent sent, AsyncResult<Message<Buffer>> answer) {
    if (sent.to != router) {
      return; // the router was left, and the fate of the events was told
    }
    sent.underWay = false;
    if (answer.succeeded()) {
      sent.to.heard();
      settle(sent, answer.result().body());
      askedToMove(sent.to, answer.result().headers().get(PublisherProtocol.MOVE));
      onSettled.accept(null);
    } else {
      failed(sent, answer.cause());
    }
    run();
  }

  private void askedToMove(PublisherRouter current, @Nullable String to) {
    if (to != null && current.moveTo == null) {
      current.moveTo = to;
      moveDeadline = System.nanoTime() + MOST_MOVE_NANOS;
    }
  }

  private void failed(Sent sent, Throwable cause) {
    PublisherRouter to = sent.to;
    if (cause instanceof ReplyException refusal) {
      switch (refusal.failureType()) {
        case NO_HANDLERS -> missing(to);
        case RECIPIENT_FAILURE -> refused(sent, refusal.failureCode());
        default -> sent.uncertain = true;
      }
    } else {
      sent.uncertain = true;
    }
    if (!to.over) {
      pause(RETRY_MILLIS);
    }
  }

  private void missing(PublisherRouter to) {
    long now = System.nanoTime();
    if (to.missingSince == 0) {
      to.missingSince = now;
    }
    long millis = TimeUnit.NANOSECONDS.toMillis(now - to.missingSince);
    if (millis >= Math.min(MAX_MISSING_MILLIS, timeoutMillis / 4)) {
      to.over = true;
      absence = Outcome.NO_BUS;
    }
  }

  private void refused(Sent sent, int code) {
    sent.to.heard();
    if (code != PublisherProtocol.GAP && code != Outcome.BACKPRESSURE.status()) {
      sent.to.over = true;
      if (code == PublisherProtocol.UNKNOWN_PUBLISHER) {
        sent.to.forgetful = true;
      } else {
        // Whatever the failure means, no other router may take this batch.
        fail(sent, Outcome.UNKNOWN);
        sent.events = List.of();
      }
    }
  }

  // ---------------------------------------------------------------- fates

  private void settle(Sent sent, Buffer fates) {
    List<Pending> refusedByClosed = new ArrayList<>();
    for (int i = 0; i < sent.events.size(); i++) {
      Pending one = sent.events.get(i);
      Outcome fate = i < fates.length() ? Outcome.of(fates.getByte(i)) : Outcome.ACCEPTED;
      if (fate.taken()) {
        queue.settled(one);
        one.promise().complete();
      } else if (fate == Outcome.CLOSED) {
        refusedByClosed.add(one);
      } else {
        fail(one, fate);
      }
    }
    if (refusedByClosed.isEmpty()) {
      window.remove(sent);
    } else {
      sent.events = refusedByClosed;
      sent.uncertain = false;
      sent.to.over = true;
      sent.to.closing = true;
      absence = Outcome.CLOSED;
    }
  }

  private void fail(Sent sent, Outcome reason) {
    sent.events.forEach(one -> fail(one, reason));
  }

  private void fail(Pending one, Outcome reason) {
    NotDeliveredException failure = one.failure(reason);
    queue.settled(one);
    one.promise().fail(failure);
    onSettled.accept(failure);
  }
}
