package io.shardbus.gateway;

import io.shardbus.event.InvalidEventException;
import io.shardbus.event.LineSplitter;
import io.shardbus.event.RawEvent;
import io.shardbus.options.Durations;
import io.shardbus.shard.BackpressureMode;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** One stream of NDJSON. */
final class Upload {

  private static final int MAX_ERRORS = 10;

  /**
   * The bytes that Vert.x may have read of a paused request: with HTTP/1 two dozen chunks, with
   * HTTP/2 the window of the stream, which is as much.
   */
  static final int QUEUED_BYTES = 24 * HttpServerOptions.DEFAULT_MAX_CHUNK_SIZE;

  private final Intake intake;
  private final HttpServerRequest request;
  private final HttpServerResponse response;
  private final IngestRequest asked;
  private final BooleanSupplier allowed;
  private final LineSplitter lines;
  private final Budget.Share share;
  private final RateLimit.Client rate;
  private final Feeder feeder;
  private final Tally tally = new Tally();
  private final Tally notTaken = new Tally(); // of what had arrived, and the client may send again
  private final JsonArray errors = new JsonArray();
  private final @Nullable Countdown countdown;
  private final Deadline room;
  private final Deadline wholeLine;
  private final Deadline delivery;
  private long timedLine = -1;
  private boolean any;
  private boolean ended;
  private boolean answered;

  Upload(Intake intake, HttpServerRequest request, IngestRequest asked, BooleanSupplier allowed) {
    this.intake = intake;
    this.request = request;
    this.response = request.response();
    this.asked = asked;
    this.allowed = allowed;
    lines = new LineSplitter(intake.maxEventBytes());
    share = intake.budget().share();
    rate = intake.rates().of(Connections.client(request.remoteAddress()));
    boolean patient =
        intake.bus().shards().backpressureMode().equals(BackpressureMode.FAIL_PRODUCER);
    feeder = new Feeder(intake, rate, patient, this::roomAgain);
    countdown =
        asked.ack() == IngestRequest.Ack.DELIVERED
            ? new Countdown(new Coalesced(intake.vertx().getOrCreateContext(), this::answerIfDone))
            : null;
    room = new Deadline(intake.vertx(), this::noRoom);
    wholeLine = new Deadline(intake.vertx(), this::lineTakesTooLong);
    delivery = new Deadline(intake.vertx(), this::notConfirmed);
  }

  void begin() {
    HttpIngest.proceed(request);
    request.handler(this::chunk);
    request.endHandler(end -> end());
    request.exceptionHandler(e -> finish());
    response.closeHandler(closed -> finish());
  }

  private void chunk(Buffer chunk) {
    if (answered) {
      return;
    }
    if (!allowed.getAsBoolean()) {
      finish();
      Problem.refuse(request, 401, "the token is no longer valid for this", counts());
      return;
    }
    try {
      lines.feed(chunk, this::line);
    } catch (LineSplitter.LineTooLongException e) {
      refuse(413, Refusals.TOO_LARGE, "bus.maxEventBytes: " + e.getMessage());
      return;
    }
    boolean full = feeder.full();
    if (!share.resize(lines.partialBytes() + (full ? feeder.heldBytes() + QUEUED_BYTES : 0))) {
      refuse(503, Refusals.NO_MEMORY, intake.budget().refusal() + whereToGoOn());
      return;
    }
    if (full) {
      request.pause();
      room.begin(intake.options().getBackpressureTimeout());
    }
    timeLine(full);
  }

  /** A line that has begun must come to an end, unless it is not read. */
  private void timeLine(boolean paused) {
    if (paused || lines.partialBytes() == 0) {
      wholeLine.cancel();
    } else if (timedLine != lines.line() || !wholeLine.running()) {
      wholeLine.cancel();
      wholeLine.begin(intake.options().getBodyTimeout());
    }
    timedLine = lines.line();
  }

  private void line(Buffer bytes) {
    any = true;
    RawEvent event;
    try {
      event = asked.event(bytes);
    } catch (InvalidEventException e) {
      intake.refusals().count(Refusals.INVALID);
      feeder.refuse(Refusals.INVALID, tally);
      if (errors.size() < MAX_ERRORS) {
        errors.add(new JsonObject().put("line", lines.line()).put("error", e.getMessage()));
      }
      return;
    }
    feeder.push(event, lines.line(), tally, countdown);
  }

  private void end() {
    if (answered) {
      return;
    }
    ended = true;
    wholeLine.cancel();
    lines.end(this::line);
    if (feeder.full()) {
      room.begin(intake.options().getBackpressureTimeout());
    }
    answerIfDone();
  }

  private void roomAgain() {
    room.cancel();
    share.resize(lines.partialBytes());
    timeLine(false);
    if (!ended) { // else HTTP/2 would not have it
      request.resume();
    }
    answerIfDone();
  }

  private void noRoom() {
    String within = Durations.format(intake.options().getBackpressureTimeout());
    String where = whereToGoOn();
    if (notTaken.refusals().containsKey(Refusals.RATE)) {
      stop(429, Refusals.RATE, rate.refusal() + ", and no end of that within " + within + where);
    } else if (notTaken.refusals().containsKey(Refusals.UNROUTED)) {
      stop(503, Refusals.UNROUTED, "no shard was active within " + within + where);
    } else {
      stop(429, Refusals.BACKPRESSURE, "no room within " + within + where);
    }
  }

  private String whereToGoOn() {
    if (!feeder.full()) {
      return "; go on behind the first " + lines.line() + " lines";
    }
    long first = feeder.firstHeld();
    abandon();
    return ": "
        + notTaken.refused()
        + " events that had arrived and all behind them were not taken; go on behind the first "
        + (first - 1)
        + " lines";
  }

  private void abandon() {
    notTaken.addRefusalsOf(feeder.abandon());
  }

  private void lineTakesTooLong() {
    Duration time = intake.options().getBodyTimeout();
    refuse(408, Refusals.TOO_SLOW, tooSlow(time, "line " + (lines.line() + 1)));
  }

  private void notConfirmed() {
    answered = true;
    finish();
    Problem.send(response, 504, notDelivered(intake.options().getAckTimeout()), counts());
  }

  static String tooSlow(Duration time, String what) {
    return "gateway.bodyTimeout: " + what + " did not come to an end in " + Durations.format(time);
  }

  static String notDelivered(Duration time) {
    return "gateway.ackTimeout: accepted, but the sink did not confirm it in "
        + Durations.format(time)
        + ": the bus still tries";
  }

  private void refuse(int status, String reason, String detail) {
    intake.refusals().count(reason);
    stop(status, reason, detail);
  }

  private void stop(int status, String reason, String detail) {
    finish();
    Problem.refuse(request, status, detail, counts().mergeIn(Problem.reason(reason)));
  }

  /** Stops everything. */
  private void finish() {
    answered = true;
    abandon();
    share.free();
    room.cancel();
    wholeLine.cancel();
    delivery.cancel();
  }

  private void answerIfDone() {
    if (!ended || answered || feeder.full()) {
      return;
    }
    if (countdown != null && countdown.settled() < tally.accepted()) {
      delivery.begin(intake.options().getAckTimeout());
      return;
    }
    finish();
    if (!any) {
      Problem.send(response, 400, "an empty body: lines of JSON are expected");
      return;
    }
    if (tally.accepted() == 0 && !tally.refusals().containsKey(Refusals.INVALID)) {
      allRefused();
      return;
    }
    if (countdown != null && countdown.failedCount() > 0) {
      Problem.send(
          response,
          500,
          countdown.failedCount() + " of the accepted events will not be delivered",
          counts());
      return;
    }
    response
        .setStatusCode(202)
        .putHeader(HttpHeaders.CONTENT_TYPE, HttpIngest.JSON)
        .end(counts().toBuffer());
  }

  private void allRefused() {
    Map<String, Long> reasons = tally.refusals();
    if (reasons.containsKey(Refusals.RATE)) {
      allRefused(429, Refusals.RATE, rate.refusal());
    } else if (reasons.containsKey(Refusals.BACKPRESSURE)) {
      allRefused(429, Refusals.BACKPRESSURE, "the shards are full");
    } else if (reasons.containsKey(Refusals.SAMPLED)) {
      allRefused(429, Refusals.SAMPLED, "the shards are filling up: not sampled");
    } else if (reasons.containsKey(Refusals.TOO_LARGE)) {
      allRefused(
          413,
          Refusals.TOO_LARGE,
          "bus.maxEventBytes: the events are larger than " + intake.maxEventBytes() + " bytes");
    } else if (reasons.containsKey(Refusals.UNROUTED)) {
      allRefused(503, Refusals.UNROUTED, "no shard is active");
    } else {
      allRefused(503, Refusals.CLOSED, "the bus is closing");
    }
  }

  private void allRefused(int status, String reason, String detail) {
    Problem.send(response, status, detail, counts().mergeIn(Problem.reason(reason)));
  }

  private JsonObject counts() {
    JsonObject json =
        new JsonObject().put("accepted", tally.accepted()).put("rejected", tally.refused());
    JsonObject reasons = new JsonObject();
    tally.refusals().forEach(reasons::put);
    if (!reasons.isEmpty()) {
      json.put("reasons", reasons);
    }
    if (notTaken.refused() > 0) {
      json.put("notTaken", notTaken.refused());
    }
    if (!errors.isEmpty()) {
      json.put("errors", errors);
    }
    if (countdown != null) {
      json.put("delivered", countdown.deliveredCount()).put("failed", countdown.failedCount());
      if (countdown.failedCount() > 0) {
        json.put("failures", countdown.failures());
      }
    }
    return json;
  }
}
