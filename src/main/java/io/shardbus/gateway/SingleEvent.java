package io.shardbus.gateway;

import io.shardbus.event.IngestResult;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonObject;
import org.jspecify.annotations.Nullable;

/** One request that brings one event. */
final class SingleEvent {

  private final Intake intake;
  private final HttpServerRequest request;
  private final HttpServerResponse response;
  private final IngestRequest asked;
  private final Parts body;
  private final Deadline wholeBody;
  private final Deadline delivery;
  private boolean over;

  SingleEvent(Intake intake, HttpServerRequest request, IngestRequest asked) {
    this.intake = intake;
    this.request = request;
    this.asked = asked;
    response = request.response();
    body = new Parts(intake.budget());
    wholeBody = new Deadline(intake.vertx(), this::takesTooLong);
    delivery = new Deadline(intake.vertx(), this::notConfirmed);
  }

  void begin() {
    String length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
    if (length != null && length.length() < 19 && Long.parseLong(length) > intake.maxEventBytes()) {
      refuse(413, Refusals.TOO_LARGE, tooLarge());
      return;
    }
    HttpIngest.proceed(request);
    request.handler(this::chunk);
    request.endHandler(end -> end());
    response.closeHandler(gone -> stop());
  }

  private void chunk(Buffer chunk) {
    if (over) {
      return;
    }
    if (body.length() + chunk.length() > intake.maxEventBytes()) {
      refuse(413, Refusals.TOO_LARGE, tooLarge());
    } else if (!body.add(chunk)) {
      refuse(503, Refusals.NO_MEMORY, intake.budget().refusal());
    } else {
      wholeBody.begin(intake.options().getBodyTimeout());
    }
  }

  private String tooLarge() {
    return "bus.maxEventBytes: the event is larger than " + intake.maxEventBytes() + " bytes";
  }

  private void takesTooLong() {
    refuse(408, Refusals.TOO_SLOW, Upload.tooSlow(intake.options().getBodyTimeout(), "the body"));
  }

  private void notConfirmed() {
    Problem.send(response, 504, Upload.notDelivered(intake.options().getAckTimeout()));
  }

  /** Stops everything. */
  private void stop() {
    over = true;
    body.drop();
    wholeBody.cancel();
    delivery.cancel();
  }

  private void refuse(int status, String reason, String detail) {
    stop();
    intake.refusals().count(reason);
    Problem.refuse(request, status, detail, Problem.reason(reason));
  }

  /** The same once the whole body is here. */
  private void refuseWhole(int status, String reason, String detail) {
    intake.refusals().count(reason);
    Problem.send(response, status, detail, Problem.reason(reason));
  }

  private void end() {
    if (over || response.headWritten()) {
      return;
    }
    Buffer bytes = body.take();
    stop();
    RawEvent event;
    try {
      event = asked.event(bytes);
    } catch (InvalidEventException e) {
      refuseWhole(400, Refusals.INVALID, String.valueOf(e.getMessage()));
      return;
    }
    RateLimit.Client rate = intake.rates().of(Connections.client(request.remoteAddress()));
    if (!rate.tryTake(event.sizeWithKey())) {
      refuseWhole(429, Refusals.RATE, rate.refusal());
      return;
    }
    if (asked.ack() == IngestRequest.Ack.DELIVERED) {
      deliver(event);
    } else {
      answer(intake.bus().ingest(event));
    }
  }

  private void deliver(RawEvent event) {
    @Nullable IngestResult[] result = new IngestResult[1];
    // The answer runs on this context, so after this method.
    Countdown[] fate = new Countdown[1];
    fate[0] =
        new Countdown(
            new Coalesced(
                intake.vertx().getOrCreateContext(),
                () -> {
                  stop();
                  if (fate[0].failedCount() > 0) {
                    Problem.send(
                        response,
                        500,
                        "the event was accepted, but will not be delivered",
                        new JsonObject().put("failures", fate[0].failures()));
                  } else if (result[0] != null) {
                    answer(result[0]);
                  }
                }));
    IngestResult now = intake.bus().ingest(event, fate[0]);
    result[0] = now;
    if (!now.accepted()) {
      answer(now);
      return;
    }
    delivery.begin(intake.options().getAckTimeout());
  }

  private void answer(IngestResult result) {
    switch (result.outcome()) {
      case ACCEPTED -> {
        if (!response.ended() && !response.closed()) {
          response
              .setStatusCode(202)
              .putHeader(HttpHeaders.CONTENT_TYPE, HttpIngest.JSON)
              .end(
                  new JsonObject()
                      .put("shard", result.shard())
                      .put("timestamp", result.timestamp())
                      .toBuffer());
        }
      }
      case BACKPRESSURE -> refused(429, result, "shard " + result.shard() + " is full");
      case SAMPLED -> refused(429, result, "the shard is filling up: not sampled");
      case UNROUTED -> refused(503, result, "no shard is active");
      case CLOSED -> refused(503, result, "the bus is closing");
      case TOO_LARGE -> refused(413, result, tooLarge());
    }
  }

  /** By the bus, which has counted it. */
  private void refused(int status, IngestResult result, String detail) {
    Problem.send(response, status, detail, Problem.reason(Refusals.of(result.outcome())));
  }
}
