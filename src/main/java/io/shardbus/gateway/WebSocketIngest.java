package io.shardbus.gateway;

import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.LineSplitter;
import io.shardbus.event.RawEvent;
import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.http.WebSocketFrame;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/*
 * One WebSocket on /v1/ingest. A message is one JSON value or lines of NDJSON.
 *
 * A client that asked for acknowledgements is never refused for want of room: the socket is paused until there is
 * some. It gets frames {"acked":n,"rejected":{reason:n},"errors":[...]}, with counts since the connection began: of its
 * first n + rejected events, in the order in which it sent them, the fate is known. A client that did not ask is
 * answered by the backpressure mode, and told of refusals once a second at most.
 *
 * Acknowledgements go by message: a message's events count once all of them are settled, and all messages before it. A
 * message of which nothing was taken joins the one before it, so that those that are kept are no more than the events
 * of this client that the bus holds - and those behind them that another shard has delivered already, for which
 * there is a limit.
 *
 * The socket is also paused while a client that sends pings does not read the answers: Vert.x sends one for each.
 */
final class WebSocketIngest {

  private static final short TOO_BIG = 1009;
  private static final int MAX_ERRORS = 10;
  private static final long REPORT_MILLIS = 1_000;

  /** Messages whose fate is open, above which the socket is paused. */
  private static final int MAX_UNSETTLED = 16_384;

  private final Intake intake;
  private final ServerWebSocket socket;
  private final IngestRequest asked;
  private final int maxMessageBytes;
  private @Nullable Buffer partial;
  private final Feeder feeder;
  private final Runnable report;
  private final Runnable regulate;
  private final Runnable onEnd;
  private final Deque<Message> unsettled = new ArrayDeque<>();
  private final Tally total = new Tally();
  private JsonArray errors = new JsonArray();
  private long events;
  private long reported;
  private long reportTimer = -1;
  private boolean paused;
  private boolean answering; // pings, faster than the client reads
  private volatile long heard = System.nanoTime();
  private boolean pinged;

  /** A message, and those behind it of which nothing was taken. */
  private static final class Message {

    final Tally tally = new Tally();
    final @Nullable Countdown countdown;
    long events;

    Message(@Nullable Countdown countdown) {
      this.countdown = countdown;
    }

    boolean settled() {
      return tally.accepted() + tally.refused() == events
          && (countdown == null || countdown.settled() == tally.accepted());
    }

    void addTo(Tally total) {
      total.addRefusalsOf(tally);
      if (countdown == null) {
        total.accept(tally.accepted());
      } else {
        total.accept(countdown.deliveredCount());
        total.refuse("not_delivered", countdown.failedCount());
      }
    }
  }

  WebSocketIngest(
      Intake intake,
      ServerWebSocket socket,
      IngestRequest asked,
      int maxMessageBytes,
      RateLimit.Client rate,
      Runnable onEnd) {
    this.intake = intake;
    this.maxMessageBytes = maxMessageBytes;
    this.onEnd = onEnd;
    this.socket = socket;
    this.asked = asked;
    Context context = intake.vertx().getOrCreateContext();
    report = new Coalesced(context, this::report);
    regulate = new Coalesced(context, this::regulate);
    feeder = intake.feeder(rate, asked.ack() != IngestRequest.Ack.NONE, report);
  }

  void begin() {
    socket.frameHandler(this::frame);
    socket.pongHandler(pong -> heard());
    socket.closeHandler(closed -> end());
    socket.exceptionHandler(this::failed);
    socket.drainHandler(drained -> report.run());
  }

  private void failed(Throwable failure) {
    if (failure instanceof CorruptedWebSocketFrameException broken) {
      socket.close((short) broken.closeStatus().code(), broken.getMessage());
    } // else the connection is gone
  }

  private void heard() {
    heard = System.nanoTime();
    pinged = false;
  }

  /** How long the client has been silent; for any thread. */
  long quietNanos() {
    return System.nanoTime() - heard;
  }

  /** Asks a silent client for a sign of life, and closes if none comes. */
  void keepAlive(Duration timeout) {
    if (paused) {
      heard(); // it is not read from
    } else if (!pinged) {
      pinged = true;
      socket.writePing(Buffer.buffer());
    } else if (quietNanos() > timeout.toNanos()) {
      socket.close(
          WebSockets.GOING_AWAY, "no sign of life for " + timeout.toSeconds() + " seconds");
    }
  }

  /** Frames are put together here, because Vert.x would decode the text of whole messages. */
  private void frame(WebSocketFrame frame) {
    heard();
    if (!frame.isText() && !frame.isBinary() && !frame.isContinuation()) {
      answering |= frame.isPing();
      regulate.run(); // not now: behind a ping, Vert.x asks for one frame more
      return;
    }
    Buffer bytes = frame.binaryData();
    Buffer before = partial;
    if (before != null) {
      if ((long) before.length() + bytes.length() > maxMessageBytes) {
        socket.close(TOO_BIG, "a message is larger than " + maxMessageBytes + " bytes");
        return;
      }
      bytes = before.appendBuffer(bytes);
    }
    if (frame.isFinal()) {
      partial = null;
      message(bytes);
    } else {
      partial = before == null ? bytes.copy() : bytes;
    }
  }

  private void message(Buffer bytes) {
    long before = events;
    Message message =
        new Message(asked.ack() == IngestRequest.Ack.DELIVERED ? new Countdown(report) : null);
    events(bytes, message);
    if (events == before) {
      reject("an empty message: one JSON value or lines of them are expected", message);
    }
    message.events = events - before;
    keep(message);
    regulate();
    report.run();
  }

  private void keep(Message message) {
    Message last = unsettled.peekLast();
    if (last == null && message.settled()) {
      message.addTo(total);
    } else if (last != null && message.tally.refused() == message.events) {
      last.events += message.events;
      last.tally.addRefusalsOf(message.tally);
    } else {
      unsettled.add(message);
    }
  }

  /**
   * A message without a line end is one value; so is one that spans lines, such as indented JSON.
   */
  private void events(Buffer bytes, Message message) {
    int newline = LineSplitter.lineEnd(bytes, 0);
    if (newline < 0 ? bytes.length() > 0 : isOneValue(bytes, newline)) {
      event(bytes, message);
    } else {
      LineSplitter lines = new LineSplitter(Math.max(1, bytes.length()));
      lines.feed(bytes, line -> event(line, message));
      lines.end(line -> event(line, message));
    }
  }

  private static boolean isOneValue(Buffer bytes, int newline) {
    try {
      RawEvent.parse(bytes.slice(0, newline));
      return false;
    } catch (InvalidEventException e) {
      try {
        RawEvent.parse(bytes);
        return true;
      } catch (InvalidEventException alsoBad) {
        return false;
      }
    }
  }

  private void event(Buffer bytes, Message message) {
    RawEvent event;
    try {
      event = asked.event(bytes);
    } catch (InvalidEventException e) {
      reject(e.getMessage(), message);
      return;
    }
    events++;
    feeder.push(event, events, message.tally, message.countdown);
  }

  private void reject(@Nullable String why, Message message) {
    events++;
    message.tally.refuse(Tally.INVALID, 1);
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
    boolean before = paused;
    paused = answering || feeder.full() || unsettled.size() >= MAX_UNSETTLED;
    if (paused) {
      socket.pause();
    } else if (before) {
      socket.resume();
    }
  }

  private void report() {
    while (!unsettled.isEmpty() && unsettled.element().settled()) {
      unsettled.remove().addTo(total);
    }
    regulate();
    boolean silent = asked.ack() == IngestRequest.Ack.NONE;
    long news = silent ? total.refused() : total.accepted() + total.refused();
    if (news == reported || socket.isClosed()) {
      return;
    }
    if (socket.writeQueueFull()) {
      return; // a client that does not read: the drain handler comes back
    }
    if (silent && reportTimer >= 0) {
      return;
    }
    reported = news;
    socket.writeTextMessage(frame(silent).encode());
    if (silent) {
      reportTimer =
          intake
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
    JsonObject rejected = new JsonObject();
    total.refusals().forEach(rejected::put);
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
    feeder.abandon();
    if (reportTimer >= 0) {
      intake.vertx().cancelTimer(reportTimer);
    }
  }
}
