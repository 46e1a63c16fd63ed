package io.shardbus.gateway;

import io.shardbus.event.Ack;
import io.shardbus.event.EventTime;
import io.shardbus.event.IngestResult;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.net.Deadline;
import io.shardbus.net.DeferredTask;
import io.shardbus.net.RateLimit;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonObject;
import org.jspecify.annotations.Nullable;

/** One request that brings one event. */
final class SingleEvent {

  private final IngestResources resources;
  private final HttpServerRequest request;
  private final HttpServerResponse response;
  private final IngestRequest asked;
  private final PartialBody body;
  private final Deadline wholeBody;
  private final Deadline delivery;
  private boolean over;

  SingleEvent(IngestResources resources, HttpServerRequest request, IngestRequest asked) {
    this.resources = resources;
    this.request = request;
    this.asked = asked;
    response = request.response();
    body = new PartialBody(resources.budget());
    wholeBody = new Deadline(resources.vertx(), this::takesTooLong);
    delivery = new Deadline(resources.vertx(), this::notConfirmed);
  }

  void begin() {
    String length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
    if (length != null && length.length() < 19 && Long.parseLong(length) > maxBytes()) {
      refuse(Outcome.TOO_LARGE, tooLarge());
      return;
    }
    IngestRequest.proceed(request);
    request.handler(this::chunk);
    request.endHandler(end -> end());
    response.closeHandler(gone -> stop());
  }

  private void chunk(Buffer chunk) {
    if (over) {
      return;
    }
    if (body.length() + chunk.length() > maxBytes()) {
      refuse(Outcome.TOO_LARGE, tooLarge());
    } else if (!body.add(chunk)) {
      refuse(Outcome.NO_MEMORY, resources.budget().refusal());
    } else {
      wholeBody.begin(resources.options().getBodyTimeout());
    }
  }

  private int maxBytes() {
    return asked.format().maxBytes(resources.maxEventBytes());
  }

  private String tooLarge() {
    return "bus.maxEventBytes: the event is larger than " + resources.maxEventBytes() + " bytes";
  }

  private void takesTooLong() {
    refuse(Outcome.TOO_SLOW, resources.tooSlow("the body"));
  }

  private void notConfirmed() {
    Problem.send(response, 504, resources.notConfirmed());
  }

  /** Stops everything. */
  private void stop() {
    over = true;
    body.drop();
    wholeBody.cancel();
    delivery.cancel();
  }

  private void refuse(Outcome reason, String detail) {
    stop();
    resources.refusals().count(reason);
    Problem.refuse(request, reason, detail, new JsonObject());
  }

  /** The same once the whole body is here. */
  private void refuseWhole(Outcome reason, String detail) {
    resources.refusals().count(reason);
    Problem.send(response, reason, detail, new JsonObject());
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
      refuseWhole(Outcome.INVALID, String.valueOf(e.getMessage()));
      return;
    }
    RateLimit.Client rate = resources.rates().of(Connections.client(request.remoteAddress()));
    if (!rate.tryTake(event.totalSize())) {
      refuseWhole(Outcome.RATE, rate.refusal());
      return;
    }
    if (asked.ack() == Ack.DELIVERED) {
      deliver(event);
    } else {
      answer(resources.bus().ingest(event));
    }
  }

  private void deliver(RawEvent event) {
    @Nullable IngestResult[] result = new IngestResult[1];
    // The answer runs on this context, so after this method.
    DeliveryCounter[] fate = new DeliveryCounter[1];
    fate[0] =
        new DeliveryCounter(
            new DeferredTask(
                resources.vertx().getOrCreateContext(),
                () -> {
                  stop();
                  if (fate[0].failedCount() > 0) {
                    Problem.send(
                        response,
                        500,
                        "the event was accepted, but will not be delivered",
                        new JsonObject().put("failures", fate[0].failures().refusalsJson()));
                  } else if (result[0] != null) {
                    answer(result[0]);
                  }
                }));
    IngestResult now = resources.bus().ingest(event, fate[0]);
    result[0] = now;
    if (!now.accepted()) {
      answer(now);
      return;
    }
    delivery.begin(resources.options().getAckTimeout());
  }

  private void answer(IngestResult result) {
    Outcome outcome = result.outcome();
    if (!result.accepted()) {
      // the bus refused it, and has counted it
      String detail = outcome == Outcome.TOO_LARGE ? tooLarge() : result.meaning();
      Problem.send(response, outcome, detail, new JsonObject());
    } else if (!response.ended() && !response.closed()) {
      JsonObject json =
          new JsonObject()
              .put("shard", result.shard())
              .put("time", EventTime.text(result.timestamp()));
      if (outcome == Outcome.DUPLICATE) {
        json.put("duplicate", true);
      }
      response
          .setStatusCode(outcome.status())
          .putHeader(HttpHeaders.CONTENT_TYPE, Pages.JSON)
          .end(json.toBuffer());
    }
  }
}
