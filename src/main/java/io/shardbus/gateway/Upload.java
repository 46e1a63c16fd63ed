package io.shardbus.gateway;

import io.shardbus.event.Ack;
import io.shardbus.event.EventSplitter;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.LineSplitter;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.net.BodyDecoder;
import io.shardbus.net.Budget;
import io.shardbus.net.Deadline;
import io.shardbus.net.DeferredTask;
import io.shardbus.net.RateLimit;
import io.shardbus.options.Counted;
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
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** One stream of events: lines, or the elements of an array. */
final class Upload implements RequestBody.Reader {

  private static final int MAX_ERRORS = 10;

  /** If nothing was taken for several reasons, the answer names the first of these. */
  private static final List<Outcome> TOLD_FIRST =
      List.of(
          Outcome.RATE,
          Outcome.BACKPRESSURE,
          Outcome.SAMPLED,
          Outcome.TOO_LARGE,
          Outcome.INTERCEPTED,
          Outcome.UNROUTED,
          Outcome.CLOSED,
          Outcome.INVALID);

  /**
   * The bytes that Vert.x may have read of a paused request: with HTTP/1 two dozen chunks, with
   * HTTP/2 the window of the stream, which is as much.
   */
  static final int QUEUED_BYTES = 24 * HttpServerOptions.DEFAULT_MAX_CHUNK_SIZE;

  private final IngestResources resources;
  private final HttpServerRequest request;
  private final HttpServerResponse response;
  private final IngestRequest asked;
  private final BooleanSupplier allowed;
  private final RequestBody source;
  private final String place;
  private final EventSplitter lines;
  private final Budget.Share share;
  private final RateLimit.Client rate;
  private final OrderedIngest ingest;
  private final OutcomeCounts outcomes = new OutcomeCounts();
  private final OutcomeCounts notTaken =
      new OutcomeCounts(); // had arrived; the client may send them again
  private final JsonArray errors = new JsonArray();
  private final @Nullable DeliveryCounter deliveries;
  private final Deadline room;
  private final Deadline wholeLine;
  private final Deadline delivery;
  private final Deadline quiet;
  private final Deadline lastLine;
  private long timedLine = -1;
  private boolean any;
  private boolean ended;
  private boolean stopping; // the server; at the end of a line
  private boolean cut; // by it
  private boolean answered;
  private long heard = System.nanoTime();
  private Runnable forget = () -> {};

  Upload(
      IngestResources resources,
      HttpServerRequest request,
      IngestRequest asked,
      @Nullable BodyDecoder decoder,
      BooleanSupplier allowed) {
    this.resources = resources;
    this.request = request;
    this.response = request.response();
    this.asked = asked;
    this.allowed = allowed;
    source = new RequestBody(request, decoder, null, true, this);
    place = asked.format().place();
    lines = asked.format().splitter(resources.maxEventBytes());
    share = resources.budget().share();
    rate = resources.rates().of(resources.proxies().client(request));
    boolean patient =
        resources.bus().shards().backpressureMode().equals(BackpressureMode.FAIL_PRODUCER);
    ingest = new OrderedIngest(resources, rate, patient, this::roomAgain);
    deliveries =
        asked.ack() == Ack.DELIVERED
            ? new DeliveryCounter(
                new DeferredTask(resources.vertx().getOrCreateContext(), this::answerIfDone))
            : null;
    room = new Deadline(resources.vertx(), this::noRoom);
    wholeLine = new Deadline(resources.vertx(), this::lineTakesTooLong);
    delivery = new Deadline(resources.vertx(), this::notConfirmed);
    quiet = new Deadline(resources.vertx(), this::lookForSigns);
    lastLine = new Deadline(resources.vertx(), this::stopped);
  }

  void begin(Ongoing ongoing) {
    IngestRequest.proceed(request);
    source.begin();
    response.closeHandler(closed -> finish());
    quiet.begin(patience());
    forget = ongoing.add(resources.vertx(), this::endSoon);
  }

  /** Vert.x closes a connection that is idle for longer, without an answer. */
  private Duration patience() {
    return resources.options().getIdleTimeout().multipliedBy(3).dividedBy(4);
  }

  private void lookForSigns() {
    Duration left = patience().minusNanos(System.nanoTime() - heard);
    if (left.toMillis() > 0 || ended || ingest.full()) {
      quiet.begin(left.toMillis() > 0 ? left : patience());
    } else {
      refuse(
          Outcome.TOO_SLOW,
          "gateway.idleTimeout: nothing came for " + Durations.format(patience()));
    }
  }

  /** Takes the line that has begun, and tells the client where to go on, as the server stops. */
  private void endSoon() {
    if (!answered && !stopping) {
      stopping = true;
      lastLine.begin(Ongoing.PATIENCE);
      if (!ended) {
        endAtLineEnd();
      }
    }
  }

  private void endAtLineEnd() {
    if (lines.partialBytes() == 0) {
      cut = true;
      answerIfDone();
    }
  }

  private void stopped() {
    if (ended && !ingest.full()) {
      notConfirmed();
      return;
    }
    refuse(Outcome.CLOSED, "the server is stopping");
  }

  @Override
  public void chunk(Buffer chunk) {
    if (answered || cut) {
      return;
    }
    heard = System.nanoTime();
    if (!allowed.getAsBoolean()) {
      finish();
      Problem.refuse(request, 401, "the token is no longer valid for this", counts());
      return;
    }
    try {
      lines.feed(stopping ? restOfLine(chunk) : chunk, this::line);
    } catch (LineSplitter.LineTooLongException e) {
      refuse(Outcome.TOO_LARGE, "bus.maxEventBytes: " + e.getMessage());
      return;
    } catch (InvalidEventException e) {
      refuse(Outcome.INVALID, String.valueOf(e.getMessage()));
      return;
    }
    boolean full = ingest.full();
    if (!share.resize(lines.partialBytes() + (full ? ingest.heldBytes() + QUEUED_BYTES : 0))) {
      refuse(Outcome.NO_MEMORY, resources.budget().refusal());
      return;
    }
    if (stopping) {
      endAtLineEnd();
      return;
    }
    if (full) {
      request.pause();
      room.begin(resources.options().getBackpressureTimeout());
    }
    timeLine(full);
  }

  private Buffer restOfLine(Buffer chunk) {
    int end = asked.format().isArray() ? -1 : LineSplitter.lineEnd(chunk, 0);
    return end < 0 ? chunk : chunk.slice(0, end + 1);
  }

  @Override
  public void broken(Outcome reason, String detail) {
    if (!answered) {
      refuse(reason, detail);
    }
  }

  @Override
  public void gone() {
    finish();
  }

  /** A line that has begun must come to an end, unless it is not read. */
  private void timeLine(boolean paused) {
    if (paused || lines.partialBytes() == 0) {
      wholeLine.cancel();
    } else if (timedLine != lines.line() || !wholeLine.running()) {
      wholeLine.cancel();
      wholeLine.begin(resources.options().getBodyTimeout());
    }
    timedLine = lines.line();
  }

  private void line(Buffer bytes) {
    any = true;
    RawEvent event;
    try {
      event = asked.reader().read(bytes);
    } catch (InvalidEventException e) {
      resources.refusals().count(Outcome.INVALID);
      ingest.refuse(Outcome.INVALID, outcomes);
      if (errors.size() < MAX_ERRORS) {
        errors.add(new JsonObject().put(place, lines.line()).put("error", e.getMessage()));
      }
      return;
    }
    ingest.push(event, lines.line(), outcomes, deliveries);
  }

  @Override
  public void end() {
    if (answered || cut) {
      return;
    }
    ended = true;
    wholeLine.cancel();
    try {
      lines.end(this::line);
    } catch (InvalidEventException e) {
      refuse(Outcome.INVALID, String.valueOf(e.getMessage()));
      return;
    }
    if (ingest.full()) {
      room.begin(resources.options().getBackpressureTimeout());
    }
    answerIfDone();
  }

  private void roomAgain() {
    room.cancel();
    share.resize(lines.partialBytes());
    timeLine(false);
    if (!ended && !cut) { // else HTTP/2 would not have it
      request.resume();
    }
    answerIfDone();
  }

  private void noRoom() {
    String within = Durations.format(resources.options().getBackpressureTimeout());
    abandon();
    if (notTaken.refusals().containsKey(Outcome.RATE)) {
      stop(Outcome.RATE, rate.refusal() + ", and no end of that within " + within);
    } else if (notTaken.refusals().containsKey(Outcome.UNROUTED)) {
      stop(Outcome.UNROUTED, "no shard was active within " + within);
    } else {
      stop(Outcome.BACKPRESSURE, "no room within " + within);
    }
  }

  private String whereToGoOn() {
    long first = ingest.firstLetGo();
    if (first == 0) {
      return "; go on behind the first " + Counted.of(lines.line(), place);
    }
    return ": "
        + Counted.of(notTaken.refused(), "event")
        + " that had arrived and all behind were not taken; go on behind the first "
        + Counted.of(first - 1, place);
  }

  private void abandon() {
    notTaken.addRefusalsOf(ingest.abandon());
  }

  private void lineTakesTooLong() {
    refuse(Outcome.TOO_SLOW, resources.limits().tooSlow(place + " " + (lines.line() + 1)));
  }

  private void notConfirmed() {
    answered = true;
    finish();
    Problem.send(response, 504, resources.notConfirmed(), counts());
  }

  private void refuse(Outcome reason, String detail) {
    resources.refusals().count(reason);
    stop(reason, detail);
  }

  private void stop(Outcome reason, String detail) {
    finish();
    Problem.refuse(request, reason, detail + whereToGoOn(), counts());
  }

  /** Stops everything. */
  private void finish() {
    answered = true;
    forget.run();
    source.drop();
    abandon();
    share.free();
    room.cancel();
    wholeLine.cancel();
    delivery.cancel();
    quiet.cancel();
    lastLine.cancel();
  }

  private void answerIfDone() {
    if ((!ended && !cut) || answered || ingest.full()) {
      return;
    }
    if (deliveries != null && deliveries.settled() < outcomes.accepted()) {
      delivery.begin(resources.options().getAckTimeout());
      return;
    }
    if (cut) {
      stopped();
      return;
    }
    finish();
    if (!any && !asked.format().isArray()) {
      Problem.send(response, 400, "an empty body: lines of JSON are expected");
      return;
    }
    if (any && outcomes.accepted() == 0) {
      allRefused();
      return;
    }
    if (deliveries != null && deliveries.failedCount() > 0) {
      Problem.send(
          response,
          500,
          deliveries.failedCount() + " of the accepted events will not be delivered",
          counts());
      return;
    }
    response
        .setStatusCode(202)
        .putHeader(HttpHeaders.CONTENT_TYPE, MediaTypes.JSON)
        .end(counts().toBuffer().appendString("\n"));
  }

  private void allRefused() {
    for (Outcome reason : TOLD_FIRST) {
      if (outcomes.refusals().containsKey(reason)) {
        Problem.send(response, reason, detail(reason), counts());
        return;
      }
    }
  }

  private String detail(Outcome reason) {
    return switch (reason) {
      case RATE -> rate.refusal();
      case INVALID -> "no " + place + " is a valid event: errors says why";
      default -> reason.meaning();
    };
  }

  private JsonObject counts() {
    JsonObject json =
        new JsonObject().put("accepted", outcomes.accepted()).put("rejected", outcomes.refused());
    if (outcomes.duplicates() > 0) {
      json.put("duplicates", outcomes.duplicates());
    }
    JsonObject reasons = outcomes.refusalsJson();
    if (!reasons.isEmpty()) {
      json.put("reasons", reasons);
    }
    if (notTaken.refused() > 0) {
      json.put("notTaken", notTaken.refused());
    }
    if (!errors.isEmpty()) {
      json.put("errors", errors);
    }
    if (deliveries != null) {
      json.put("delivered", deliveries.deliveredCount()).put("failed", deliveries.failedCount());
      if (deliveries.failedCount() > 0) {
        json.put("failures", deliveries.failures().refusalsJson());
      }
    }
    return json;
  }
}
