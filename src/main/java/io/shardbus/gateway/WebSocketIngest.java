package io.shardbus.gateway;

import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.shardbus.ShardBus;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.LineSplitter;
import io.shardbus.event.RawEvent;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
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
 * Acknowledgements go by message: a message's events count once all of them are settled, and all messages before it.
 */
final class WebSocketIngest {

  private static final short TOO_BIG = 1009;
  private static final int MAX_ERRORS = 10;
  private static final long REPORT_MILLIS = 1_000;

  private final Vertx vertx;
  private final ServerWebSocket socket;
  private final IngestRequest asked;
  private final ShardBus bus;
  private final int maxMessageBytes;
  private @Nullable Buffer partial;
  private final Feeder feeder;
  private final Runnable report;
  private final Runnable onEnd;
  private final Deque<Message> unsettled = new ArrayDeque<>();
  private JsonArray errors = new JsonArray();
  private long events;
  private long invalid;
  private long acked;
  private long failed;
  private long reported;
  private long reportTimer = -1;
  private volatile long heard = System.nanoTime();
  private boolean pinged;

  /** A message whose events are not all settled. */
  private static final class Message {

    final Countdown countdown;
    long acceptedBefore;
    long accepted = -1;

    Message(Countdown countdown) {
      this.countdown = countdown;
    }
  }

  WebSocketIngest(
      Vertx vertx,
      ShardBus bus,
      ServerWebSocket socket,
      IngestRequest asked,
      int maxMessageBytes,
      RateLimit.Client rate,
      Runnable onEnd) {
    this.maxMessageBytes = maxMessageBytes;
    this.onEnd = onEnd;
    this.vertx = vertx;
    this.socket = socket;
    this.asked = asked;
    this.bus = bus;
    Context context = vertx.getOrCreateContext();
    report = new Coalesced(context, this::report);
    feeder = new Feeder(vertx, bus, rate, asked.ack() != IngestRequest.Ack.NONE, this::roomAgain);
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
    if (feeder.full()) {
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
    Message message = new Message(new Countdown(report));
    message.acceptedBefore = feeder.accepted();
    LineSplitter lines = new LineSplitter(bus.shards().limits().maxEventBytes());
    long before = events;
    try {
      if (isOneValue(bytes)) {
        event(bytes, message);
      } else {
        lines.feed(bytes, line -> event(line, message));
        lines.end(line -> event(line, message));
      }
    } catch (LineSplitter.LineTooLongException e) {
      events++;
      reject(e.getMessage());
    }
    if (events == before) {
      events++;
      reject("an empty message: one JSON value or lines of them are expected");
    }
    unsettled.add(message);
    if (feeder.full()) {
      socket.pause();
    } else {
      settleAccepted();
    }
    report.run();
  }

  /**
   * A message without a line end is one value; so is one that spans lines, such as indented JSON.
   */
  private static boolean isOneValue(Buffer bytes) {
    int newline = LineSplitter.lineEnd(bytes, 0);
    if (newline < 0) {
      return bytes.length() > 0;
    }
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
    events++;
    try {
      boolean tellWhenDelivered = asked.ack() == IngestRequest.Ack.DELIVERED;
      feeder.push(asked.event(bytes), tellWhenDelivered ? message.countdown : null);
    } catch (InvalidEventException e) {
      reject(e.getMessage());
    }
  }

  private void reject(@Nullable String why) {
    invalid++;
    if (errors.size() < MAX_ERRORS) {
      errors.add(new JsonObject().put("event", events).put("error", why));
    }
  }

  private void roomAgain() {
    settleAccepted();
    socket.resume();
    report.run();
  }

  /**
   * Everything that was pushed is accepted or refused: each message knows how many it has to wait
   * for.
   */
  private void settleAccepted() {
    long total = feeder.accepted();
    for (var messages = unsettled.descendingIterator(); messages.hasNext(); ) {
      Message message = messages.next();
      if (message.accepted >= 0) {
        break;
      }
      message.accepted = total - message.acceptedBefore;
      total = message.acceptedBefore;
    }
  }

  private void report() {
    while (!unsettled.isEmpty()) {
      Message first = unsettled.element();
      boolean delivered = asked.ack() == IngestRequest.Ack.DELIVERED;
      if (first.accepted < 0 || (delivered && first.countdown.settled() < first.accepted)) {
        break;
      }
      unsettled.remove();
      acked += delivered ? first.countdown.deliveredCount() : first.accepted;
      failed += first.countdown.failedCount();
    }
    boolean silent = asked.ack() == IngestRequest.Ack.NONE;
    long rejected = invalid + feeder.refused() + failed;
    long news = silent ? rejected : acked + rejected;
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
          vertx.setTimer(
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
      frame.put("acked", acked);
    }
    JsonObject rejected = new JsonObject();
    if (invalid > 0) {
      rejected.put("invalid", invalid);
    }
    feeder.refusals().forEach(rejected::put);
    if (failed > 0) {
      rejected.put("not_delivered", failed);
    }
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
      vertx.cancelTimer(reportTimer);
    }
  }
}
