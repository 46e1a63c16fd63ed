package io.shardbus.gateway;

import io.shardbus.ShardBus;
import io.shardbus.event.IngestResult;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.LineSplitter;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.BackpressureMode;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /v1/events}: one JSON value, or a stream of NDJSON of any length in bounded memory.
 */
final class HttpIngest {

  static final String JSON = "application/json";
  static final String NDJSON = "application/x-ndjson";

  private final Intake intake;
  private final Vertx vertx;
  private final ShardBus bus;
  private final Limits limits;
  private final RateLimit rates;

  HttpIngest(Intake intake) {
    this.intake = intake;
    vertx = intake.vertx();
    bus = intake.bus();
    limits = intake.limits();
    rates = intake.rates();
  }

  void handle(HttpServerRequest request) {
    HttpServerResponse response = request.response();
    String type = request.getHeader(HttpHeaders.CONTENT_TYPE);
    String media = type == null ? "" : type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
    if (!media.equals(JSON) && !media.equals(NDJSON)) {
      Problem.refuse(
          request,
          415,
          "Content-Type \"" + media + "\" is not taken: use " + JSON + " or " + NDJSON);
      return;
    }
    String encoding = request.getHeader(HttpHeaders.CONTENT_ENCODING);
    if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
      Problem.refuse(
          request, 415, "Content-Encoding \"" + encoding + "\" is not taken: send it as it is");
      return;
    }
    IngestRequest asked;
    try {
      asked = IngestRequest.of(request.params(), IngestRequest.Ack.ACCEPTED);
    } catch (IllegalArgumentException e) {
      Problem.refuse(request, 400, String.valueOf(e.getMessage()));
      return;
    }
    if (media.equals(JSON)) {
      one(request, response, asked);
    } else {
      new Upload(request, asked).begin();
    }
  }

  private int maxEventBytes() {
    return bus.shards().limits().maxEventBytes();
  }

  private void one(HttpServerRequest request, HttpServerResponse response, IngestRequest asked) {
    String length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
    if (length != null && length.length() < 19 && Long.parseLong(length) > maxEventBytes()) {
      Problem.refuse(request, 413, tooLarge());
      return;
    }
    Buffer body = Buffer.buffer();
    request.handler(
        chunk -> {
          if (body.length() + chunk.length() > maxEventBytes()) {
            request.pause();
            Problem.refuse(request, 413, tooLarge());
          } else {
            body.appendBuffer(chunk);
          }
        });
    request.endHandler(
        end -> {
          if (!response.headWritten()) {
            ingestOne(request, asked, body);
          }
        });
  }

  private String tooLarge() {
    return "bus.maxEventBytes: the event is larger than " + maxEventBytes() + " bytes";
  }

  private RateLimit.Client rate(HttpServerRequest request) {
    return rates.of(Connections.client(request.remoteAddress()));
  }

  private void ingestOne(HttpServerRequest request, IngestRequest asked, Buffer body) {
    HttpServerResponse response = request.response();
    RawEvent event;
    try {
      event = asked.event(body);
    } catch (InvalidEventException e) {
      Problem.send(response, 400, String.valueOf(e.getMessage()));
      return;
    }
    if (!rate(request).tryTake()) {
      Problem.send(response, 429, rates.refusal());
      return;
    }
    if (asked.ack() != IngestRequest.Ack.DELIVERED) {
      answer(response, bus.ingest(event));
      return;
    }
    Context context = vertx.getOrCreateContext();
    Countdown[] fate = new Countdown[1];
    IngestResult[] result = new IngestResult[1];
    Countdown countdown =
        new Countdown(
            () ->
                context.runOnContext(
                    ignored -> {
                      if (fate[0].failedCount() > 0) {
                        Problem.send(response, 500, "the event was accepted but not delivered");
                      } else {
                        answer(response, result[0]);
                      }
                    }));
    fate[0] = countdown;
    // The answer runs on this context, so after this method.
    result[0] = bus.ingest(event, countdown);
    if (!result[0].accepted()) {
      answer(response, result[0]);
    }
  }

  private void answer(HttpServerResponse response, IngestResult result) {
    switch (result.outcome()) {
      case ACCEPTED -> {
        if (!response.ended() && !response.closed()) {
          response
              .setStatusCode(202)
              .putHeader(HttpHeaders.CONTENT_TYPE, JSON)
              .end(
                  new JsonObject()
                      .put("shard", result.shard())
                      .put("timestamp", result.timestamp())
                      .toBuffer());
        }
      }
      case BACKPRESSURE -> Problem.send(response, 429, "shard " + result.shard() + " is full");
      case SAMPLED -> Problem.send(response, 429, "the shard is filling up: not sampled");
      case UNROUTED -> Problem.send(response, 503, "no shard is active");
      case CLOSED -> Problem.send(response, 503, "the bus is closing");
      case TOO_LARGE -> Problem.send(response, 413, tooLarge());
    }
  }

  /** One stream of NDJSON. */
  private final class Upload {

    private static final int MAX_ERRORS = 10;

    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final IngestRequest asked;
    private final LineSplitter lines = new LineSplitter(maxEventBytes());
    private final Feeder feeder;
    private final JsonArray errors = new JsonArray();
    private final @Nullable Countdown countdown;
    private final Tally tally = new Tally();
    private boolean any;
    private boolean ended;
    private boolean answered;
    private long deadline = -1;

    Upload(HttpServerRequest request, IngestRequest asked) {
      this.request = request;
      this.response = request.response();
      this.asked = asked;
      boolean patient = bus.shards().backpressureMode().equals(BackpressureMode.FAIL_PRODUCER);
      feeder = intake.feeder(rate(request), patient, this::roomAgain);
      countdown =
          asked.ack() == IngestRequest.Ack.DELIVERED
              ? new Countdown(new Coalesced(vertx.getOrCreateContext(), this::answerIfDone))
              : null;
    }

    void begin() {
      request.handler(this::chunk);
      request.endHandler(end -> end());
      request.exceptionHandler(e -> abandon());
      response.closeHandler(closed -> abandon());
    }

    private void chunk(Buffer chunk) {
      if (answered) {
        return;
      }
      try {
        lines.feed(chunk, this::line);
      } catch (LineSplitter.LineTooLongException e) {
        stop(413, "bus.maxEventBytes: " + e.getMessage());
        return;
      }
      if (feeder.full()) {
        request.pause();
        if (deadline < 0) {
          deadline =
              vertx.setTimer(
                  Math.max(1, limits.options().getBackpressureTimeout().toMillis()),
                  id -> noRoom());
        }
      }
    }

    private void line(Buffer bytes) {
      any = true;
      try {
        feeder.push(asked.event(bytes), lines.line(), tally, countdown);
      } catch (InvalidEventException e) {
        tally.refuse(Tally.INVALID, 1);
        if (errors.size() < MAX_ERRORS) {
          errors.add(new JsonObject().put("line", lines.line()).put("error", e.getMessage()));
        }
      }
    }

    private void end() {
      if (answered) {
        return;
      }
      ended = true;
      lines.end(this::line);
      answerIfDone();
    }

    private void roomAgain() {
      if (deadline >= 0) {
        vertx.cancelTimer(deadline);
        deadline = -1;
      }
      request.resume();
      answerIfDone();
    }

    private void noRoom() {
      String why =
          feeder.tooFast() ? rates.refusal() + ", and no end of that within " : "no room within ";
      long first = feeder.firstHeld();
      int held = feeder.abandon();
      stop(
          429,
          why
              + limits.options().getBackpressureTimeout().toMillis()
              + " ms: "
              + held
              + " events that had arrived and all behind them were not taken; go on behind the"
              + " first "
              + (first - 1)
              + " lines");
    }

    private void stop(int status, String detail) {
      answered = true;
      request.pause();
      feeder.abandon();
      Problem.refuse(request, status, detail, counts());
    }

    private void abandon() {
      if (!answered) {
        answered = true;
        feeder.abandon();
        if (deadline >= 0) {
          vertx.cancelTimer(deadline);
        }
      }
    }

    private void answerIfDone() {
      if (!ended || answered || feeder.full()) {
        return;
      }
      if (countdown != null && countdown.settled() < tally.accepted()) {
        return;
      }
      answered = true;
      if (!any) {
        Problem.send(response, 400, "an empty body: lines of JSON are expected");
        return;
      }
      if (tally.accepted() == 0 && !tally.refusals().containsKey(Tally.INVALID)) {
        allRefused();
        return;
      }
      response
          .setStatusCode(202)
          .putHeader(HttpHeaders.CONTENT_TYPE, JSON)
          .end(counts().toBuffer());
    }

    private void allRefused() {
      Map<String, Long> reasons = tally.refusals();
      if (reasons.containsKey(Feeder.TOO_FAST)) {
        Problem.send(response, 429, rates.refusal(), counts());
      } else if (reasons.containsKey("backpressure") || reasons.containsKey("sampled")) {
        Problem.send(response, 429, "the shards are full", counts());
      } else if (reasons.containsKey("too_large")) {
        Problem.send(response, 413, tooLarge(), counts());
      } else {
        Problem.send(response, 503, "the bus is closing", counts());
      }
    }

    private JsonObject counts() {
      JsonObject json =
          new JsonObject().put("accepted", tally.accepted()).put("rejected", tally.refused());
      JsonObject reasons = new JsonObject();
      tally.refusals().forEach(reasons::put);
      if (!reasons.isEmpty()) {
        json.put("reasons", reasons);
      }
      if (!errors.isEmpty()) {
        json.put("errors", errors);
      }
      if (countdown != null) {
        json.put("delivered", countdown.deliveredCount()).put("failed", countdown.failedCount());
      }
      return json;
    }
  }
}
