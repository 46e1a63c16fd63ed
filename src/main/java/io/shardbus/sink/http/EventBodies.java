package io.shardbus.sink.http;

import io.shardbus.event.Batch;
import io.shardbus.event.EventTime;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.support.EventJson;
import io.shardbus.sink.support.EventLines;
import io.shardbus.sink.support.PercentCodec;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.RequestOptions;
import java.util.BitSet;

/** Writes events into the bodies and headers of requests. */
final class EventBodies {

  static final String IDEMPOTENCY_KEY = "Idempotency-Key";

  private static final String JSON = "application/json";

  private final boolean lines;
  private final boolean envelope;

  EventBodies(HttpSinkOptions options) {
    lines = options.getBody() == HttpSinkOptions.Body.ndjson;
    envelope = options.isEnvelope();
  }

  /** Of a request with a batch. */
  String contentType() {
    if (!lines) {
      return JSON;
    }
    return envelope ? "application/vnd.shardbus.events+ndjson" : "application/x-ndjson";
  }

  /**
   * A batch.
   *
   * @param unfit the indexes of the events that it leaves out, because they are not JSON
   */
  Buffer of(Batch batch, BitSet unfit) {
    Buffer out = Buffer.buffer();
    for (int i = 0; i < batch.size(); i++) {
      ShardEvent event = batch.events().get(i);
      boolean written =
          lines ? EventLines.append(out, batch, event, envelope) : appendElement(out, batch, event);
      if (!written) {
        unfit.set(i);
      }
    }
    return lines ? out : out.appendString("]");
  }

  private boolean appendElement(Buffer out, Batch batch, ShardEvent event) {
    if (!envelope && !EventJson.isJson(event.payload())) {
      return false;
    }
    out.appendString(out.length() == 0 ? "[" : ",");
    if (envelope) {
      EventJson.append(out, new StoredEvent(batch.producer(), event));
    } else {
      out.appendBuffer(event.payload());
    }
    return true;
  }

  /** One event, with its headers. */
  Buffer of(Batch batch, ShardEvent event, RequestOptions request) {
    String id = event.id();
    request.putHeader(
        IDEMPOTENCY_KEY, PercentCodec.encode(id == null ? batch.deduplicationId(event) : id));
    if (envelope) {
      Buffer out = Buffer.buffer();
      EventJson.append(out, new StoredEvent(batch.producer(), event));
      request.putHeader(HttpHeaders.CONTENT_TYPE, JSON);
      return out;
    }
    request.putHeader(
        HttpHeaders.CONTENT_TYPE,
        EventJson.isJson(event.payload()) ? JSON : "application/octet-stream");
    request.putHeader("Shardbus-Producer", PercentCodec.encode(batch.producer().id()));
    request.putHeader("Shardbus-Epoch", Long.toString(batch.producer().epoch()));
    request.putHeader("Shardbus-Shard", Integer.toString(event.shard()));
    request.putHeader("Shardbus-Sequence", Long.toString(event.sequence()));
    request.putHeader("Shardbus-Time", EventTime.text(event.timestamp()));
    if (event.key() != null) {
      request.putHeader("Shardbus-Key", PercentCodec.encode(event.key()));
    }
    if (id != null) {
      request.putHeader("Shardbus-Id", PercentCodec.encode(id));
    }
    event
        .headers()
        .forEach((name, value) -> request.putHeader(nameOf(name), PercentCodec.encode(value)));
    return event.payload();
  }

  /** An event's header must not stand for one of the request. */
  private static String nameOf(String header) {
    return header.startsWith("ce-") || header.equals("traceparent") || header.equals("tracestate")
        ? header
        : "Shardbus-Header-" + header;
  }
}
