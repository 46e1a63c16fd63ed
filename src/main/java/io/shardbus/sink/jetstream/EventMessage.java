package io.shardbus.sink.jetstream;

import io.nats.client.Message;
import io.nats.client.impl.Headers;
import io.shardbus.event.Batch;
import io.shardbus.event.EventTime;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.support.PercentCodec;
import io.shardbus.sink.support.StoredHeaders;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/*
 * An event as a message: the payload as it was given, everything else as headers. The names of the event's own headers
 * are in lower case, so they never meet those of Shardbus and NATS. Headers hold printable ASCII only, so other text is
 * encoded; see the package's description.
 */
final class EventMessage {

  private static final String MESSAGE_ID = "Nats-Msg-Id";
  private static final String SHARD = "Shardbus-Shard";
  private static final String SEQUENCE = "Shardbus-Sequence";
  private static final String TIME = "Shardbus-Time";
  private static final String PRODUCER = "Shardbus-Producer";
  private static final String EPOCH = "Shardbus-Epoch";
  private static final String KEY = "Shardbus-Key";
  private static final String ENCODED = "Shardbus-Encoded";

  private static final String CLOUD_EVENT = "ce-";
  private static final String CLOUD_EVENT_VERSION = "ce-specversion";
  private static final String CLOUD_EVENT_TYPE = "ce-datacontenttype";
  private static final String CONTENT_TYPE = "content-type";

  private EventMessage() {}

  static Headers headers(Batch batch, ShardEvent event) {
    String id = event.id();
    Headers headers =
        new Headers()
            .put(MESSAGE_ID, encode(id == null ? batch.deduplicationId(event) : id))
            .put(SHARD, Integer.toString(event.shard()))
            .put(SEQUENCE, Long.toString(event.sequence()))
            .put(TIME, EventTime.text(event.timestamp()))
            .put(PRODUCER, encode(batch.producer().id()))
            .put(EPOCH, Long.toString(batch.producer().epoch()));
    String key = event.key();
    if (key != null) {
      headers.put(KEY, encode(key));
    }
    if (!event.headers().isEmpty()) {
      add(headers, event.headers());
    }
    return headers;
  }

  /**
   * The server looks for the name of its header in the values of others, too, and then misses the
   * header itself.
   */
  private static String encode(String text) {
    return PercentCodec.encode(text).replace(MESSAGE_ID, "%4Eats-Msg-Id");
  }

  private static void add(Headers headers, io.shardbus.event.Headers own) {
    List<String> encoded = new ArrayList<>();
    own.forEach(
        (name, value) -> {
          boolean always = name.startsWith(CLOUD_EVENT);
          boolean plain = !always && PercentCodec.isPlain(value) && !value.contains(MESSAGE_ID);
          headers.put(name, plain ? value : encode(value));
          if (!plain && (!always || name.equals(CLOUD_EVENT_TYPE))) {
            encoded.add(name); // so a type of the event differs from the one added below
          }
        });
    if (!encoded.isEmpty()) {
      headers.put(ENCODED, String.join(",", encoded));
    }
    String type = own.get(CONTENT_TYPE);
    boolean isCloudEvent = own.get(CLOUD_EVENT_VERSION) != null;
    if (isCloudEvent && type != null && own.get(CLOUD_EVENT_TYPE) == null) {
      headers.put(CLOUD_EVENT_TYPE, encode(type)); // as the binding has it, besides
    }
  }

  /** The event of a message; null if Shardbus did not publish the message. */
  static @Nullable StoredEvent parse(Message message) {
    Headers headers = message.getHeaders();
    if (headers == null || headers.getFirst(EPOCH) == null) {
      return null;
    }
    try {
      ProducerId producer =
          new ProducerId(PercentCodec.decode(text(headers, PRODUCER)), number(headers, EPOCH));
      String key = headers.getFirst(KEY);
      ShardEvent event =
          new ShardEvent(
              Math.toIntExact(number(headers, SHARD)),
              number(headers, SEQUENCE),
              EventTime.parse(text(headers, TIME)),
              Buffer.buffer(message.getData()),
              key == null ? null : PercentCodec.decode(key),
              id(headers, producer),
              own(headers));
      return new StoredEvent(producer, event);
    } catch (IllegalArgumentException | ArithmeticException e) {
      return null;
    }
  }

  /** An event without an id has its place in its shard as the message's id. */
  private static @Nullable String id(Headers headers, ProducerId producer) {
    String id = PercentCodec.decode(text(headers, MESSAGE_ID));
    String place =
        String.join(
            ":",
            producer.id(),
            text(headers, EPOCH),
            text(headers, SHARD),
            text(headers, SEQUENCE));
    return id.equals(place) ? null : id;
  }

  private static io.shardbus.event.Headers own(Headers headers) {
    String list = headers.getFirst(ENCODED);
    Set<String> encoded = list == null ? Set.of() : Set.of(list.split(",", -1));
    StoredHeaders own = new StoredHeaders();
    for (String name : headers.keySet()) {
      String value = text(headers, name);
      boolean isEncoded = encoded.contains(name);
      if (isEncoded || !name.equals(CLOUD_EVENT_TYPE)) {
        boolean decode = isEncoded || name.startsWith(CLOUD_EVENT);
        own.add(name, decode ? PercentCodec.decode(value) : value);
      }
    }
    return own.build();
  }

  private static String text(Headers headers, String name) {
    return String.valueOf(headers.getFirst(name));
  }

  private static long number(Headers headers, String name) {
    return Long.parseLong(text(headers, name));
  }
}
