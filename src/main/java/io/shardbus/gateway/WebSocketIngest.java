package io.shardbus.gateway;

import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.shardbus.event.Ack;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.LineSplitter;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.net.Budget;
import io.shardbus.net.Deadline;
import io.shardbus.net.DeferredTask;
import io.shardbus.net.RateLimit;
import io.shardbus.net.ReadControl;
import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.http.WebSocketFrame;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/*
 * One WebSocket on /v1/ingest. A message is one JSON value or lines of NDJSON.
 *
 * A client with acknowledgements is never refused for want of room: the socket is paused until there is room. The
 * client gets frames {"acked":n,"rejected":{reason:n},"errors":[...]}, with counts since the connection began. The fate
 * of its first n + rejected events is known, in the order in which it sent them. For a client without acknowledgements
 * the backpressure mode decides, and it gets a report of refusals at most once a second.
 *
 * Acknowledgements go by message: the events of a message count once they and all messages before are settled. If no
 * event of a message was taken, the message joins the one before it. So there are at most as many open messages as the
 * bus holds events of this client, and the messages behind them that other shards have delivered already, for which
 * there is a limit.
 *
 * The socket is also paused while a client that sends pings does not read the answers: Vert.x sends one for each.
 */
final class WebSocketIngest {

  private static final short POLICY_VIOLATION = 1008;
  private static final short TOO_BIG = 1009;
  private static final short TRY_AGAIN_LATER = 1013;
  private static final Duration PATIENCE = Duration.ofSeconds(4); // less than what a stop waits

  /** From the server's last word to the end of a connection that the client does not end. */
  private static final Duration SILENCE = Duration.ofSeconds(10);

  private static final int MAX_ERRORS = 10;
  private static final long REPORT_MILLIS = 1_000;

  /** Messages whose fate is open, above which the socket is paused. */
  private static final int MAX_UNSETTLED = 16_384;

  private final IngestResources resources;
  private final ServerWebSocket socket;
  private final ReadControl reads;
  private final Context context;
  private final IngestRequest asked;
  private final PartialBody partial;
  private final Budget.Share unseen;
  private final Budget.Share held;
  private final OrderedIngest ingest;
  private final Deadline lastWords;
  private final Deadline silence;
  private final Runnable report;
  private final Runnable regulate = this::regulate;
  private final Runnable onEnd;
  private final Deque<Message> unsettled = new ArrayDeque<>();
  private final OutcomeCounts total = new OutcomeCounts();
  private JsonArray errors = new JsonArray();
  private long events;
  private long reported;
  private long reportTimer = -1;
  private boolean released;
  private boolean finishing;
  private boolean paused;
  private boolean answering; // pings, faster than the client reads
  private volatile long heard = System.nanoTime();
  private boolean pinged;
  private volatile long partialSince; // 0 while there is none

  /** A message, and those behind it of which nothing was taken. */
  private static final class Message {

    final OutcomeCounts outcomes = new OutcomeCounts();
    final @Nullable DeliveryCounter deliveries;
    final long before;
    long events;

    Message(@Nullable DeliveryCounter deliveries, long before) {
      this.deliveries = deliveries;
      this.before = before;
    }

    boolean settled() {
      return outcomes.accepted() + outcomes.refused() == events
          && (deliveries == null || deliveries.settled() == outcomes.accepted());
    }

    void addTo(OutcomeCounts total) {
      total.addRefusalsOf(outcomes);
      if (deliveries == null) {
        total.accept(outcomes.accepted());
      } else {
        total.accept(deliveries.deliveredCount());
        total.addRefusalsOf(deliveries.failures());
      }
    }
  }

  WebSocketIngest(
      IngestResources resources,
      ServerWebSocket socket,
      ReadControl reads,
      IngestRequest asked,
      RateLimit.Client rate,
      Runnable onEnd) {
    this.resources = resources;
    this.onEnd = onEnd;
    this.socket = socket;
    this.reads = reads;
    this.asked = asked;
    context = resources.vertx().getOrCreateContext();
    report = new DeferredTask(context, this::report);
    ingest = new OrderedIngest(resources, rate, asked.ack() != Ack.NONE, report);
    partial = new PartialBody(resources.budget());
    unseen = resources.budget().share();
    held = resources.budget().share();
    lastWords = new Deadline(resources.vertx(), this::goAway);
    silence = new Deadline(resources.vertx(), reads::abort);
  }

  void begin() {
    reads.meterFrames(resources.options().getMaxFrameBytes(), this::hasRoomForFrame);
    socket.frameHandler(this::frame);
    socket.pongHandler(pong -> heard());
    socket.closeHandler(closed -> end());
    socket.exceptionHandler(this::failed);
    socket.drainHandler(drained -> report.run());
    socket.shutdownHandler(stopping -> finish()); // else Vert.x closes at once
    if (ingest.patient()) {
      resources.held().enter(regulate);
      regulate();
    }
  }

  /** Takes no more events, and closes when the client knows the fate of its events, or soon. */
  void finish() {
    if (!finishing) {
      finishing = true;
      lastWords.begin(PATIENCE);
      report();
    }
  }

  private void goAway() {
    close(WebSockets.GOING_AWAY, "the server is stopping");
  }

  /** At once: Vert.x would ask the handler of a shutdown first. */
  void close(short code, @Nullable String why) {
    finishing = true;
    reads.resume(); // or the answer were not seen
    if (!socket.isClosed()) {
      socket.shutdownHandler(null);
      socket.close(code, why);
    }
    silence.begin(SILENCE); // a client that does not read would never be rid of
  }

  private void failed(Throwable failure) {
    if (failure instanceof CorruptedWebSocketFrameException broken) {
      close((short) broken.closeStatus().code(), broken.getMessage());
    } // else the connection is gone
  }

  private void heard() {
    heard = System.nanoTime();
    pinged = false;
  }

  /** Whether there may be something to do for it; for any thread. */
  boolean needsLook() {
    return System.nanoTime() - heard > resources.options().getIdleTimeout().toNanos() / 2
        || partialIsLate();
  }

  private boolean partialIsLate() {
    long since = partialSince;
    return since != 0 && System.nanoTime() - since > resources.options().getBodyTimeout().toNanos();
  }

  /** Asks a silent client for a sign of life, and closes if none comes. */
  void look() {
    Duration timeout = resources.options().getIdleTimeout();
    if (paused) {
      // The socket is not read, so its answers are not seen; but the connection must not look idle.
      heard();
      ping();
    } else if (partialIsLate()) {
      refuse(POLICY_VIOLATION, Outcome.TOO_SLOW, resources.tooSlow("a message"));
    } else if (!pinged) {
      pinged = true;
      ping();
    } else if (System.nanoTime() - heard > timeout.toNanos()) {
      close(WebSockets.GOING_AWAY, "no sign of life for " + timeout.toSeconds() + " seconds");
    }
  }

  private void ping() {
    if (!socket.isClosed() && !socket.writeQueueFull()) {
      socket.writePing(Buffer.buffer());
    }
  }

  /** The bytes of an incomplete frame. */
  private boolean hasRoomForFrame(long bytes) {
    if (bytes > 0) {
      heard();
    }
    timePartial(bytes + partial.length());
    if (unseen.resize(bytes)) {
      return true;
    }
    // The decoder asks outside of any context.
    context.runOnContext(
        now -> refuse(TRY_AGAIN_LATER, Outcome.NO_MEMORY, resources.budget().refusal()));
    return false;
  }

  /** A message that has begun must come to an end, unless it is not read. */
  private void timePartial(long bytes) {
    if (bytes == 0) {
      partialSince = 0;
    } else if (partialSince == 0) {
      partialSince = System.nanoTime();
    }
  }

  /** Frames are put together here, because Vert.x would decode the text of whole messages. */
  private void frame(WebSocketFrame frame) {
    if (released || finishing) {
      return;
    }
    heard();
    if (!frame.isText() && !frame.isBinary() && !frame.isContinuation()) {
      answering |= frame.isPing();
      regulate();
      return;
    }
    Buffer bytes = frame.binaryData();
    if (partial.length() + bytes.length() > resources.options().getMaxFrameBytes()) {
      refuse(
          TOO_BIG,
          Outcome.TOO_LARGE,
          "gateway.maxFrameBytes: the message is larger than "
              + resources.options().getMaxFrameBytes()
              + " bytes");
    } else if (!partial.add(bytes)) {
      refuse(TRY_AGAIN_LATER, Outcome.NO_MEMORY, resources.budget().refusal());
    } else if (frame.isFinal()) {
      partialSince = 0;
      message(partial.take());
    } else {
      timePartial(partial.length());
    }
  }

  private void refuse(short code, Outcome reason, String detail) {
    resources.refusals().count(reason);
    close(code, detail);
    release();
  }

  private void message(Buffer bytes) {
    Message message =
        new Message(asked.ack() == Ack.DELIVERED ? new DeliveryCounter(report) : null, events);
    events(bytes, message);
    if (events == message.before) {
      reject("an empty message: one JSON value or lines of them are expected", message);
    }
    message.events = events - message.before;
    keep(message);
    if (!held.resize(ingest.heldBytes())) {
      refuse(TRY_AGAIN_LATER, Outcome.NO_MEMORY, resources.budget().refusal());
      return;
    }
    regulate();
    report.run();
  }

  private void keep(Message message) {
    Message last = unsettled.peekLast();
    if (last == null && message.settled()) {
      message.addTo(total);
    } else if (last != null && message.outcomes.refused() == message.events) {
      last.events += message.events;
      last.outcomes.addRefusalsOf(message.outcomes);
    } else {
      unsettled.add(message);
    }
  }

  /**
   * A message without a line end is one value. So is a message whose first line is not a value,
   * such as indented JSON.
   */
  private void events(Buffer bytes, Message message) {
    if (LineSplitter.lineEnd(bytes, 0) < 0) {
      if (bytes.length() > 0) {
        eventOrReject(bytes, message);
      }
      return;
    }
    try {
      eachLine(
          bytes,
          line -> {
            if (events == message.before) {
              event(line, message);
            } else {
              eventOrReject(line, message);
            }
          });
    } catch (InvalidEventException firstLine) {
      try {
        event(bytes, message);
      } catch (InvalidEventException whole) {
        eachLine(bytes, line -> eventOrReject(line, message));
      }
    }
  }

  private static void eachLine(Buffer bytes, Consumer<Buffer> then) {
    LineSplitter lines = new LineSplitter(Math.max(1, bytes.length()));
    lines.feed(bytes, then);
    lines.end(then);
  }

  private void eventOrReject(Buffer bytes, Message message) {
    try {
      event(bytes, message);
    } catch (InvalidEventException e) {
      reject(e.getMessage(), message);
    }
  }

  private void event(Buffer bytes, Message message) {
    int most = resources.options().getMaxEventsPerMessage();
    if (events - message.before >= most) {
      events++;
      tell("gateway.maxEventsPerMessage: the message has more than " + most + " events");
      refuse(Outcome.TOO_MANY, message);
      return;
    }
    RawEvent event = asked.event(bytes);
    events++;
    ingest.push(event, events, message.outcomes, message.deliveries);
  }

  private void reject(@Nullable String why, Message message) {
    events++;
    tell(why);
    refuse(Outcome.INVALID, message);
  }

  private void refuse(Outcome reason, Message message) {
    resources.refusals().count(reason);
    message.outcomes.refuse(reason, 1);
  }

  private void tell(@Nullable String why) {
    if (errors.size() < MAX_ERRORS) {
      errors.add(new JsonObject().put("event", events).put("error", why));
    }
  }

  /** Reads on or not. */
  private void regulate() {
    if (socket.isClosed()) {
      return;
    }
    answering &= socket.writeQueueFull();
    boolean crowded = ingest.patient() && resources.held().full();
    boolean before = paused;
    paused =
        !finishing && (answering || crowded || ingest.full() || unsettled.size() >= MAX_UNSETTLED);
    if (paused) {
      reads.pause();
    } else {
      if (before && partialSince != 0) {
        partialSince = System.nanoTime();
      }
      reads.resume();
    }
  }

  private void report() {
    while (!unsettled.isEmpty() && unsettled.element().settled()) {
      unsettled.remove().addTo(total);
    }
    held.resize(ingest.heldBytes());
    regulate();
    tellNews();
    if (finishing && unsettled.isEmpty() && !socket.isClosed()) {
      goAway();
    }
  }

  private void tellNews() {
    boolean silent = asked.ack() == Ack.NONE;
    long news = silent ? total.refused() : total.accepted() + total.refused();
    if (news == reported || socket.isClosed()) {
      return;
    }
    if (socket.writeQueueFull()) {
      return; // a client that does not read: the drain handler comes back
    }
    if (silent && reportTimer >= 0 && !finishing) {
      return;
    }
    reported = news;
    socket.writeTextMessage(frame(silent).encode());
    if (silent && !finishing) {
      reportTimer =
          resources
              .vertx()
              .setTimer(
                  REPORT_MILLIS,
                  id -> {
                    reportTimer = -1;
                    report();
                  });
    }
  }

  private JsonObject frame(boolean silent) {
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

  private void end() {
    onEnd.run();
    silence.cancel();
    unseen.free();
    release();
  }

  /** Takes no more events, and drops those that are not in the bus. */
  private void release() {
    released = true;
    resources.held().leave(regulate);
    ingest.abandon();
    partial.drop();
    partialSince = 0;
    held.free();
    lastWords.cancel();
    if (reportTimer >= 0) {
      resources.vertx().cancelTimer(reportTimer);
    }
  }
}
