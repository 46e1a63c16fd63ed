package io.shardbus.gateway;

import io.shardbus.event.Ack;
import io.shardbus.event.EventTime;
import io.shardbus.event.IngestResult;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.JsonCheck;
import io.shardbus.event.LineSplitter;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.net.BodyDecoder;
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
final class SingleEvent implements RequestBody.Reader {

  private static final String LINES_HINT =
      "; to send one event a line, use the content type " + MediaTypes.NDJSON;

  private final IngestResources resources;
  private final Ongoing ongoing;
  private final HttpServerRequest request;
  private final HttpServerResponse response;
  private final IngestRequest asked;
  private final RequestBody source;
  private final PartialBody body;
  private final Deadline wholeBody;
  private final Deadline delivery;
  private Runnable forget = () -> {};
  private final boolean encoded;
  private long length = -1; // of the event, as announced
  private boolean over;

  SingleEvent(
      IngestResources resources,
      Ongoing ongoing,
      HttpServerRequest request,
      IngestRequest asked,
      @Nullable BodyDecoder decoder,
      Webhooks.@Nullable Signature signature) {
    this.resources = resources;
    this.ongoing = ongoing;
    this.request = request;
    this.asked = asked;
    response = request.response();
    encoded = decoder != null;
    source =
        new RequestBody(
            request, decoder, signature, asked.format() != BodyFormat.BINARY_CLOUD_EVENT, this);
    body = new PartialBody(resources.budget());
    wholeBody = new Deadline(resources.vertx(), this::takesTooLong);
    delivery = new Deadline(resources.vertx(), this::notConfirmed);
  }

  void begin() {
    String announced = request.getHeader(HttpHeaders.CONTENT_LENGTH);
    if (announced != null && announced.length() < 19 && !encoded) {
      length = Long.parseLong(announced);
    }
    if (length > maxBytes()) {
      refuse(Outcome.TOO_LARGE, tooLarge());
      return;
    }
    IngestRequest.proceed(request);
    source.begin();
    response.closeHandler(closed -> stop());
  }

  @Override
  public void chunk(Buffer chunk) {
    if (over) {
      return;
    }
    if (body.length() + chunk.length() > maxBytes()) {
      refuse(Outcome.TOO_LARGE, tooLarge());
    } else if (!body.add(chunk)) {
      refuse(Outcome.NO_MEMORY, resources.budget().refusal());
    } else if (body.length() != length && !wholeBody.running()) {
      wholeBody.begin(resources.options().getBodyTimeout());
      endWithServer();
    }
  }

  @Override
  public void broken(Outcome reason, String detail) {
    if (!over) {
      refuse(reason, detail);
    }
  }

  @Override
  public void gone() {
    stop();
  }

  private int maxBytes() {
    return asked.format().maxBytes(resources.maxEventBytes());
  }

  private String tooLarge() {
    return "bus.maxEventBytes: the event is larger than " + resources.maxEventBytes() + " bytes";
  }

  private void takesTooLong() {
    refuse(Outcome.TOO_SLOW, resources.limits().tooSlow("the body"));
  }

  /** Only for requests that last: most are over at once. */
  private void endWithServer() {
    forget.run();
    Deadline lastWait = new Deadline(resources.vertx(), this::endNow);
    Runnable remove = ongoing.add(resources.vertx(), () -> lastWait.begin(Ongoing.PATIENCE));
    forget =
        () -> {
          remove.run();
          lastWait.cancel();
        };
  }

  private void endNow() {
    if (over) {
      notConfirmed();
    } else {
      refuse(Outcome.CLOSED, "the server is stopping");
    }
  }

  private void notConfirmed() {
    stop();
    Problem.send(response, 504, resources.notConfirmed());
  }

  /** Stops everything. */
  private void stop() {
    over = true;
    source.drop();
    body.drop();
    wholeBody.cancel();
    delivery.cancel();
    forget.run();
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

  @Override
  public void end() {
    if (over || response.headWritten()) {
      return;
    }
    Buffer bytes = body.take();
    stop();
    if (!source.authentic()) {
      Access.badSignature(request);
      return;
    }
    RawEvent event;
    try {
      event = asked.reader().read(bytes);
    } catch (InvalidEventException e) {
      refuseWhole(Outcome.INVALID, e.getMessage() + (isLines(bytes) ? LINES_HINT : ""));
      return;
    }
    RateLimit.Client rate = resources.rates().of(resources.proxies().client(request));
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

  /** Whether the sender seems to have meant one event a line. */
  private boolean isLines(Buffer bytes) {
    int end = LineSplitter.lineEnd(bytes, 0);
    return asked.format() == BodyFormat.EVENT
        && end > 0
        && end < bytes.length() - 1
        && JsonCheck.DEFAULT.accepts(bytes.slice(0, end));
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
    endWithServer();
  }

  private void answer(IngestResult result) {
    Outcome outcome = result.outcome();
    if (!result.accepted()) {
      // the bus refused it, and has counted it
      String detail = outcome == Outcome.TOO_LARGE ? tooLarge() : result.meaning();
      Problem.send(response, outcome, detail, new JsonObject());
    } else if (!response.ended() && !response.closed()) {
      String json =
          "{\"shard\":"
              + result.shard()
              + ",\"time\":\""
              + EventTime.text(result.timestamp())
              + (outcome == Outcome.DUPLICATE ? "\",\"duplicate\":true}\n" : "\"}\n");
      response
          .setStatusCode(outcome.status())
          .putHeader(HttpHeaders.CONTENT_TYPE, MediaTypes.JSON)
          .end(json);
    }
  }
}
