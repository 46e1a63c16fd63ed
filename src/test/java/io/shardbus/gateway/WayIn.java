package io.shardbus.gateway;

import io.shardbus.ShardBusOptions;
import io.shardbus.event.Headers;
import io.shardbus.event.RawEvent;
import io.shardbus.eventbus.EventBusPublisher;
import io.shardbus.gateway.TestGateway.Answer;
import io.shardbus.sink.support.EventJson;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.WebSocket;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** How a client hands over one event. */
enum WayIn {
  HTTP("HTTP, `application/json`", MediaTypes.JSON) {
    @Override
    @Nullable String send(TestGateway to, Sent event) throws Exception {
      Map<String, String> headers = kept(event);
      if (event.form() == Form.PARAMETERS && event.id() != null) {
        headers.put("Idempotency-Key", latin(event.id()));
      }
      return post(to, event.payload(), query(event), headers);
    }
  },
  LINES("HTTP, `application/x-ndjson`", MediaTypes.NDJSON) {
    @Override
    @Nullable String send(TestGateway to, Sent event) throws Exception {
      return post(to, event.payload(), query(event), kept(event));
    }
  },
  ENVELOPES("HTTP, [envelope lines](#envelope-lines)", MediaTypes.ENVELOPES) {
    @Override
    @Nullable String send(TestGateway to, Sent event) throws Exception {
      return post(to, envelope(event), "", new HashMap<>());
    }
  },
  BINARY_CLOUD_EVENT("HTTP, [CloudEvent](#cloudevents), binary", "") {
    @Override
    @Nullable String send(TestGateway to, Sent event) throws Exception {
      Map<String, String> headers = kept(event);
      for (Map.Entry<String, Object> attribute : attributes(event)) {
        String name = attribute.getKey();
        headers.put(
            name.equals(CloudEvents.DATA_CONTENT_TYPE) ? CloudEvents.CONTENT_TYPE : "ce-" + name,
            latin((String) attribute.getValue()));
      }
      return post(to, event.payload(), query(event), headers);
    }
  },
  CLOUD_EVENT("HTTP, CloudEvent, structured", MediaTypes.CLOUD_EVENT) {
    @Override
    @Nullable String send(TestGateway to, Sent event) throws Exception {
      return post(to, structured(event), query(event), kept(event));
    }
  },
  CLOUD_EVENTS("HTTP, CloudEvents, batch", MediaTypes.CLOUD_EVENTS) {
    @Override
    @Nullable String send(TestGateway to, Sent event) throws Exception {
      Buffer batch = Buffer.buffer("[").appendBuffer(structured(event)).appendString("]");
      return post(to, batch, query(event), kept(event));
    }
  },
  WEB_SOCKET("WebSocket, one JSON value", "") {
    @Override
    @Nullable String send(TestGateway to, Sent event) throws Exception {
      return message(to, event.payload(), query(event), kept(event));
    }
  },
  WEB_SOCKET_LINES("WebSocket, lines", "") {
    @Override
    @Nullable String send(TestGateway to, Sent event) throws Exception {
      Buffer line = event.payload().copy().appendString("\n");
      return message(to, line, query(event), kept(event));
    }
  },
  WEB_SOCKET_ENVELOPES("WebSocket, `format=envelope`", "") {
    @Override
    @Nullable String send(TestGateway to, Sent event) throws Exception {
      return message(to, envelope(event), "&format=envelope", new HashMap<>());
    }
  },
  BUS_BUFFER("event bus, `Buffer`", "") {
    @Override
    @Nullable String send(TestGateway to, Sent event) throws Exception {
      return request(to, event.payload(), event);
    }
  },
  BUS_STRING("event bus, `String`", "") {
    @Override
    @Nullable String send(TestGateway to, Sent event) throws Exception {
      return event.kind() == Kind.BYTES
          ? "no text"
          : request(to, event.payload().toString(), event);
    }
  },
  BUS_JSON("event bus, `JsonObject`, `JsonArray`", "") {
    @Override
    @Nullable String send(TestGateway to, Sent event) throws Exception {
      return event.kind() == Kind.JSON
          ? request(to, Json.decodeValue(event.payload()), event)
          : "no JSON";
    }
  },
  BUS_RAW_EVENT("event bus, `RawEvent`", "") {
    @Override
    @Nullable String send(TestGateway to, Sent event) throws Exception {
      return refusal(to.vertx.eventBus().request(ShardBusOptions.DEFAULT_ADDRESS, event.raw()));
    }
  },
  BUS_LINES("event bus, `batch: ndjson`", "") {
    @Override
    @Nullable String send(TestGateway to, Sent event) throws Exception {
      Sent line =
          new Sent(event.kind(), event.payload(), event.form(), event.key(), null, event.headers());
      return refusal(
          to.vertx
              .eventBus()
              .request(
                  ShardBusOptions.DEFAULT_ADDRESS,
                  line.payload(),
                  options(line).addHeader("batch", "ndjson")));
    }
  },
  PUBLISHER("`EventBusPublisher`", "") {
    @Override
    @Nullable String send(TestGateway to, Sent event) throws Exception {
      EventBusPublisher publisher = EventBusPublisher.create(to.vertx);
      String refusal = refusal(publisher.write(event.raw()));
      TestGateway.await(publisher.close());
      return refusal;
    }
  },
  EMBEDDED("`ShardBus`", "") {
    @Override
    @Nullable String send(TestGateway to, Sent event) throws Exception {
      return refusal(to.bus.ingestAwait(event.raw()));
    }
  };

  /** Where key and id are. */
  enum Form {
    /** Where the format has a place of its own for them. */
    OWN,
    /** In a parameter or header of the request. */
    PARAMETERS,
    /** In the event itself, at k and i. */
    PATHS
  }

  enum Kind {
    JSON,
    TEXT,
    BYTES
  }

  /** What is sent, and how. */
  record Sent(
      Kind kind,
      Buffer payload,
      Form form,
      @Nullable String key,
      @Nullable String id,
      Headers headers) {

    static Sent json(String json) {
      return new Sent(Kind.JSON, Buffer.buffer(json), Form.OWN, null, null, Headers.none());
    }

    Sent withHeaders(Headers others) {
      return new Sent(kind, payload, form, key, id, others);
    }

    private RawEvent raw() {
      return RawEvent.builder(payload).key(key).id(id).headers(headers).build();
    }
  }

  /** What a CloudEvent in these tests has for a source. */
  static final String SOURCE = "/source";

  private final String title;
  private final String media;

  WayIn(String title, String media) {
    this.title = title;
    this.media = media;
  }

  String title() {
    return title;
  }

  boolean isHttp() {
    return title.startsWith("HTTP");
  }

  boolean hasEnvelope() {
    return this == ENVELOPES || this == WEB_SOCKET_ENVELOPES;
  }

  /** Where this way can have keys and ids. */
  Set<Form> forms() {
    boolean ofRequest = (isHttp() || title.startsWith("WebSocket")) && !hasEnvelope();
    return ofRequest ? EnumSet.allOf(Form.class) : EnumSet.of(Form.OWN);
  }

  /** The name of the place where a payload is. */
  String payloadAt(Kind kind) {
    boolean text = kind == Kind.TEXT;
    if (hasEnvelope()) {
      return kind == Kind.JSON ? "`event`" : text ? "`text`" : "`base64`";
    }
    if (this == CLOUD_EVENT || this == CLOUD_EVENTS) {
      return kind == Kind.BYTES ? "`data_base64`" : "`data`";
    }
    return kind == Kind.JSON ? "JSON" : text ? "text" : "bytes";
  }

  String keyAt(Form form) {
    return switch (form) {
      case PARAMETERS -> "`?key=`";
      case PATHS -> "`?keyPath=`";
      case OWN -> isCloudEvent() ? "`partitionkey`" : own("key");
    };
  }

  String idAt(Form form) {
    if (isCloudEvent()) {
      return "`source` and `id`";
    }
    return switch (form) {
      case PARAMETERS -> "`Idempotency-Key`";
      case PATHS -> "`?idPath=`";
      case OWN -> own("id");
    };
  }

  String headersAt() {
    if (hasEnvelope()) {
      return "`headers`";
    }
    if (isTyped()) {
      return "`RawEvent.headers`";
    }
    return isBus() ? "the other headers" : "those of `gateway.keepHeaders`";
  }

  String attributesAt() {
    return this == BINARY_CLOUD_EVENT ? "`ce-NAME`" : "`NAME`";
  }

  private String own(String name) {
    return isTyped()
        ? "`RawEvent." + name + "`"
        : isBus() ? "header `" + name + "`" : "`" + name + "`";
  }

  private boolean isBus() {
    return title.startsWith("event bus");
  }

  private boolean isTyped() {
    return this == BUS_RAW_EVENT || this == PUBLISHER || this == EMBEDDED;
  }

  private static DeliveryOptions options(Sent event) {
    DeliveryOptions options = new DeliveryOptions();
    event.headers().forEach(options::addHeader);
    if (event.key() != null) {
      options.addHeader("key", event.key());
    }
    if (event.id() != null) {
      options.addHeader("id", event.id());
    }
    return options;
  }

  static @Nullable String request(TestGateway to, Object body, Sent event) throws Exception {
    return refusal(
        to.vertx.eventBus().request(ShardBusOptions.DEFAULT_ADDRESS, body, options(event)));
  }

  boolean isCloudEvent() {
    return this == BINARY_CLOUD_EVENT || this == CLOUD_EVENT || this == CLOUD_EVENTS;
  }

  /** Returns the refusal; null if the event was taken. */
  abstract @Nullable String send(TestGateway to, Sent event) throws Exception;

  String query(Sent event) {
    String idPath = isCloudEvent() ? "" : "&idPath=i";
    return switch (event.form()) {
      case OWN -> "";
      case PARAMETERS ->
          event.key() == null
              ? ""
              : "&key=" + URLEncoder.encode(event.key(), StandardCharsets.UTF_8);
      case PATHS -> "&keyPath=k" + idPath;
    };
  }

  /** Headers of a request that travel with the event. */
  static Map<String, String> kept(Sent event) {
    Map<String, String> headers = new HashMap<>();
    event.headers().forEach((name, value) -> headers.put(name, latin(value)));
    return headers;
  }

  /** Vert.x sends the chars of a header as bytes. */
  static String latin(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
  }

  static Buffer envelope(Sent event) {
    String content =
        switch (event.kind()) {
          case JSON -> "\"event\":" + event.payload();
          case TEXT -> "\"text\":" + Json.encode(event.payload().toString());
          case BYTES -> "\"base64\":\"" + EventJson.base64(event.payload()) + "\"";
        };
    JsonObject rest =
        new JsonObject()
            .put("key", event.key())
            .put("id", event.id())
            .put("headers", event.headers().toMap())
            .put("time", "1999-12-31T23:59:59.999999999Z");
    return Buffer.buffer("{" + content + "," + rest.encode().substring(1));
  }

  static JsonObject attributes(Sent event) {
    JsonObject attributes =
        new JsonObject()
            .put("specversion", "1.0")
            .put("id", event.id() == null ? "1" : event.id())
            .put("source", SOURCE)
            .put("type", "t")
            .put(Places.ATTRIBUTE, "x " + event.id())
            .put(
                CloudEvents.DATA_CONTENT_TYPE,
                switch (event.kind()) {
                  case JSON -> MediaTypes.JSON;
                  case TEXT -> "text/plain";
                  case BYTES -> "application/octet-stream";
                });
    if (event.form() == Form.OWN && event.key() != null) {
      attributes.put(CloudEvents.PARTITION_KEY, event.key());
    }
    return attributes;
  }

  static Buffer structured(Sent event) {
    String data =
        switch (event.kind()) {
          case JSON -> "\"data\":" + event.payload();
          case TEXT -> "\"data\":" + Json.encode(event.payload().toString());
          case BYTES -> "\"data_base64\":\"" + EventJson.base64(event.payload()) + "\"";
        };
    return Buffer.buffer("{" + data + "," + attributes(event).encode().substring(1));
  }

  @Nullable String post(TestGateway to, Buffer body, String query, Map<String, String> headers)
      throws Exception {
    if (!media.isEmpty()) {
      headers.put("Content-Type", media);
    }
    Answer answer = to.send(HttpMethod.POST, "/v1/events?ack=delivered" + query, headers, body);
    JsonArray errors = answer.json().getJsonArray("errors");
    if (errors != null) {
      return errors.getJsonObject(0).getString("error");
    }
    return answer.status() == 202 ? null : answer.detail();
  }

  static @Nullable String message(
      TestGateway to, Buffer message, String query, Map<String, String> headers) throws Exception {
    String[] pairs =
        headers.entrySet().stream()
            .flatMap(header -> Stream.of(header.getKey(), header.getValue()))
            .toArray(String[]::new);
    WebSocket socket =
        to.connect("/v1/ingest?ack=delivered" + query, List.of(Gateway.SUBPROTOCOL), pairs);
    BlockingQueue<String> answers = new LinkedBlockingQueue<>();
    socket.textMessageHandler(answers::add);
    TestGateway.await(socket.writeBinaryMessage(message));
    JsonObject answer = new JsonObject(answers.poll(30, TimeUnit.SECONDS));
    TestGateway.await(socket.close());
    JsonArray errors = answer.getJsonArray("errors");
    return errors == null ? null : errors.getJsonObject(0).getString("error");
  }

  static @Nullable String refusal(Future<?> sent) throws Exception {
    try {
      TestGateway.await(sent);
      return null;
    } catch (ExecutionException e) {
      return e.getCause().getMessage();
    }
  }
}
