package io.shardbus.gateway;

import io.shardbus.event.Ack;
import io.shardbus.event.Headers;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.JsonCheck;
import io.shardbus.event.KeyPath;
import io.shardbus.event.RawEvent;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a request that sends events asks for.
 *
 * @param ack when an event counts as done
 * @param format what the body is
 * @param reader makes the events
 */
record IngestRequest(Ack ack, BodyFormat format, EventReader reader) {

  private static final String IDEMPOTENCY_KEY = "Idempotency-Key";

  /**
   * @param parameters of the query
   * @param maxKeyBytes the longest key allowed
   * @param json the check of JSON
   * @param kept which headers travel with the events
   * @throws IllegalArgumentException for what is not allowed
   * @throws InvalidEventException if no event can have the request's headers
   */
  static IngestRequest of(
      MultiMap parameters,
      MultiMap headers,
      BodyFormat format,
      Ack byDefault,
      int maxKeyBytes,
      JsonCheck json,
      KeptHeaders kept) {
    String ack = parameters.get("ack");
    return new IngestRequest(
        ack == null ? byDefault : Ack.parse(ack),
        format,
        reader(parameters, headers, format, EventKeys.of(parameters, maxKeyBytes, json), kept));
  }

  private static EventReader reader(
      MultiMap parameters, MultiMap headers, BodyFormat format, EventKeys keys, KeptHeaders keep) {
    String id = idempotencyKey(headers, format);
    String idPath = parameters.get("idPath");
    if (idPath != null && (id != null || format.isCloudEvent())) {
      throw new IllegalArgumentException(
          "idPath: not allowed with " + (id != null ? IDEMPOTENCY_KEY : "CloudEvents"));
    }
    if (format == BodyFormat.ENVELOPES) {
      if (keys.key() != null || keys.path() != null || idPath != null) {
        throw new IllegalArgumentException(
            "key, keyPath and idPath: not allowed with envelopes, which have keys and ids");
      }
      return new EnvelopeReader(keys);
    }
    Headers kept = keep.of(headers);
    return switch (format) {
      case BINARY_CLOUD_EVENT -> BinaryCloudEventReader.of(headers, keys, kept);
      case CLOUD_EVENT, CLOUD_EVENTS -> new CloudEventReader(keys, kept);
      default ->
          new PlainReader(keys, id, idPath == null ? null : KeyPath.of("idPath", idPath), kept);
    };
  }

  private static @Nullable String idempotencyKey(MultiMap headers, BodyFormat format) {
    List<String> given = headers.getAll(IDEMPOTENCY_KEY);
    if (given.isEmpty()) {
      return null;
    }
    if (format != BodyFormat.EVENT) {
      throw new IllegalArgumentException(
          IDEMPOTENCY_KEY
              + ": only for a single event of "
              + MediaTypes.JSON
              + "; for lines use idPath; envelopes and CloudEvents have ids");
    }
    String id = HeaderText.unquote(HeaderText.of(IDEMPOTENCY_KEY, given.get(0)));
    if (id == null || given.size() > 1) {
      throw new IllegalArgumentException(
          IDEMPOTENCY_KEY + ": must be one text, with or without quotes around it");
    }
    try {
      RawEvent.builder(Buffer.buffer()).id(id).build();
    } catch (InvalidEventException e) {
      throw new IllegalArgumentException(IDEMPOTENCY_KEY + ": " + e.getMessage(), e);
    }
    return id;
  }

  /** If a client asks whether to go on before it sends the body, the server tells it to. */
  static void proceed(HttpServerRequest request) {
    if ("100-continue".equalsIgnoreCase(request.getHeader(HttpHeaders.EXPECT))
        && request.version() != HttpVersion.HTTP_1_0) { // which knows no such answer
      request.response().writeContinue();
    }
  }
}
