package io.shardbus.gateway;

import io.shardbus.event.Ack;
import io.shardbus.event.Outcome;
import io.shardbus.net.Budget;
import io.shardbus.net.Deadline;
import io.shardbus.net.DeferredTask;
import io.shardbus.net.RateLimit;
import io.shardbus.net.ReadControl;
import io.shardbus.net.WebSocketLife;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.http.WebSocketFrame;
import java.time.Duration;

/**
 * One WebSocket on /v1/ingest. {@code MessageFrames} puts its messages together, {@code
 * MessageEvents} pushes their events, {@code AckWindow} knows which are settled, and {@code
 * WebSocketLife} closes it.
 *
 * <p>A client with acknowledgements is never refused for want of room: the socket is paused until
 * there is room. The client gets frames {"acked":n,"rejected":{reason:n},"errors":[...]}, with
 * counts since the connection began. The fate of its first n + rejected events is known, in the
 * order in which it sent them. For a client without acknowledgements the backpressure mode decides,
 * and it gets a report of refusals at most once a second.
 */
final class WebSocketIngest {

  static final short POLICY_VIOLATION = 1008;

  private static final Duration REPORT_INTERVAL = Duration.ofSeconds(1);

  private final IngestResources resources;
  private final ServerWebSocket socket;
  private final ReadControl reads;
  private final Ack ack;
  private final WebSocketLife life;
  private final MessageFrames frames;
  private final OrderedIngest ingest;
  private final AckWindow window;
  private final MessageEvents events;
  private final Budget.Share held;
  private final Runnable report;
  private final Runnable regulate = this::regulate;
  private final Deadline nextReport;
  private final Runnable onEnd;

  WebSocketIngest(
      IngestResources resources,
      ServerWebSocket socket,
      ReadControl reads,
      IngestRequest asked,
      RateLimit.Client rate,
      Runnable onEnd) {
    this.resources = resources;
    this.socket = socket;
    this.reads = reads;
    this.onEnd = onEnd;
    ack = asked.ack();
    life =
        new WebSocketLife(
            resources.vertx(),
            socket,
            reads,
            () -> resources.options().getIdleTimeout(),
            () -> resources.options().getBodyTimeout(),
            this::tooSlow);
    frames = new MessageFrames(resources, life, this::message, this::refuse);
    report = new DeferredTask(resources.vertx().getOrCreateContext(), this::report);
    ingest = new OrderedIngest(resources, rate, ack != Ack.NONE, report);
    window = new AckWindow(ack == Ack.NONE);
    events = new MessageEvents(resources, asked, ingest, window);
    held = resources.budget().share();
    nextReport = new Deadline(resources.vertx(), this::report);
  }

  void begin() {
    frames.meter(reads, this::clientCloses);
    socket.frameHandler(this::frame);
    socket.closeHandler(closed -> end());
    socket.drainHandler(drained -> report.run());
    socket.shutdownHandler(stopping -> finish()); // else Vert.x closes at once
    if (ingest.patient()) {
      resources.held().enter(regulate);
      regulate();
    }
  }

  WebSocketLife life() {
    return life;
  }

  /** Takes no more events, and closes when the client knows the fate of its events, or soon. */
  void finish() {
    if (life.finish()) {
      report();
    }
  }

  /** Answers when the client knows the fate of its events. */
  private void clientCloses() {
    if (life.clientCloses()) {
      report();
    }
  }

  private void frame(WebSocketFrame frame) {
    if (life.isEnding()) {
      return;
    }
    life.heard();
    if (frame.isText() || frame.isBinary() || frame.isContinuation()) {
      frames.add(frame);
      return;
    }
    if (frame.isPing()) {
      life.answersPing();
    }
    regulate();
  }

  private void message(Buffer bytes) {
    events.push(
        bytes, new AckWindow.Message(ack == Ack.DELIVERED ? new DeliveryCounter(report) : null));
    if (held.resize(ingest.heldBytes())) {
      regulate();
      report.run();
    } else {
      frames.noMemory();
    }
  }

  private void tooSlow() {
    refuse(POLICY_VIOLATION, Outcome.TOO_SLOW, resources.limits().tooSlow("a message"));
  }

  private void refuse(short code, Outcome reason, String detail) {
    resources.refusals().count(reason);
    life.close(code, detail);
    release();
  }

  private void regulate() {
    boolean crowded = ingest.patient() && resources.held().full();
    life.readIf(!crowded && !ingest.full() && !window.isFull());
  }

  private void report() {
    window.settle();
    held.resize(ingest.heldBytes());
    regulate();
    tellNews();
    if (life.isEnding() && window.isEmpty() && !socket.isClosed()) {
      life.goAway();
    }
  }

  private void tellNews() {
    // A client that does not read is told later: the drain handler comes back.
    if (!window.hasNews() || socket.isClosed() || socket.writeQueueFull()) {
      return;
    }
    boolean seldom = ack == Ack.NONE && !life.isEnding();
    if (seldom && nextReport.running()) {
      return;
    }
    socket.writeTextMessage(window.report().encode());
    if (seldom) {
      nextReport.begin(REPORT_INTERVAL);
    }
  }

  private void end() {
    onEnd.run();
    life.ended();
    frames.ended();
    release();
  }

  /** Takes no more events, and drops those that are not in the bus. */
  private void release() {
    resources.held().leave(regulate);
    ingest.abandon();
    frames.drop();
    held.free();
    nextReport.cancel();
  }
}
