package io.shardbus.sink.jetstream;

import io.nats.client.Message;
import io.nats.client.impl.Headers;
import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.StoredEvent;
import io.vertx.core.buffer.Buffer;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/*
 * An event as a message: the payload as it was given, everything else as headers. Headers hold printable ASCII only,
 * and so the key is encoded as in a form.
 */
final class EventMessage {

  private static final String MESSAGE_ID = "Nats-Msg-Id";
  private static final String SHARD = "Shardbus-Shard";
  private static final String SEQUENCE = "Shardbus-Sequence";
  private static final String TIMESTAMP = "Shardbus-Timestamp";
  private static final String PRODUCER = "Shardbus-Producer";
  private static final String EPOCH = "Shardbus-Epoch";
  private static final String KEY = "Shardbus-Key";

  private EventMessage() {}

  static Headers headers(Batch batch, ShardEvent event) {
    Headers headers =
        new Headers()
            .put(MESSAGE_ID, batch.deduplicationId(event))
            .put(SHARD, Integer.toString(event.shard()))
            .put(SEQUENCE, Long.toString(event.sequence()))
            .put(TIMESTAMP, Long.toString(event.timestamp()))
            .put(PRODUCER, batch.producer().id())
            .put(EPOCH, Long.toString(batch.producer().epoch()));
    String key = event.key();
    return key == null ? headers : headers.put(KEY, URLEncoder.encode(key, StandardCharsets.UTF_8));
  }

  /** The event of a message; null if Shardbus did not publish the message. */
  static @Nullable StoredEvent parse(Message message) {
    Headers headers = message.getHeaders();
    if (headers == null || headers.getFirst(EPOCH) == null) {
      return null;
    }
    String key = headers.getFirst(KEY);
    try {
      return new StoredEvent(
          number(headers, EPOCH),
          new ShardEvent(
              (int) number(headers, SHARD),
              number(headers, SEQUENCE),
              number(headers, TIMESTAMP),
              Buffer.buffer(message.getData()),
              key == null ? null : URLDecoder.decode(key, StandardCharsets.UTF_8)));
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static long number(Headers headers, String name) {
    return Long.parseLong(String.valueOf(headers.getFirst(name)));
  }
}
