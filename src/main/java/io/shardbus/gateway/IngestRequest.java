package io.shardbus.gateway;

import io.shardbus.event.Ack;
import io.shardbus.event.EventKey;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.KeyPath;
import io.shardbus.event.RawEvent;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of a request that sends events.
 *
 * @param ack when an event counts as done
 * @param key the key of all events; null for none
 * @param keyPath the path of the key in each event; null for none
 * @param maxKeyBytes the longest key allowed
 */
record IngestRequest(Ack ack, @Nullable EventKey key, @Nullable KeyPath keyPath, int maxKeyBytes) {

  /** What the decoder of a query puts in place of bytes that are not UTF-8. */
  private static final char NO_TEXT = '\uFFFD';

  /** Throws {@link IllegalArgumentException} for what is not allowed. */
  static IngestRequest of(MultiMap parameters, Ack byDefault, GatewayOptions options) {
    String key = parameters.get("key");
    String keyPath = parameters.get("keyPath");
    if (key != null && keyPath != null) {
      throw new IllegalArgumentException("key and keyPath: only one of them can be given");
    }
    if (key != null && key.indexOf(NO_TEXT) >= 0) {
      throw new IllegalArgumentException("key: must be UTF-8, and not have the character U+FFFD");
    }
    EventKey shared = key == null ? null : EventKey.of(key);
    int maxKeyBytes = options.getMaxKeyBytes();
    if (shared != null && shared.bytes() > maxKeyBytes) {
      throw new IllegalArgumentException(tooLong(maxKeyBytes));
    }
    String ack = parameters.get("ack");
    return new IngestRequest(
        ack == null ? byDefault : Ack.parse(ack),
        shared,
        keyPath == null ? null : KeyPath.of(keyPath),
        maxKeyBytes);
  }

  private static String tooLong(int maxKeyBytes) {
    return "gateway.maxKeyBytes: the key is longer than " + maxKeyBytes + " bytes";
  }

  /** Checks one event's bytes. Throws {@link InvalidEventException}. */
  RawEvent event(Buffer bytes) {
    if (key != null) {
      return RawEvent.parseKeyed(bytes, key);
    }
    if (keyPath == null) {
      return RawEvent.parse(bytes);
    }
    RawEvent event = RawEvent.parseKeyed(bytes, keyPath);
    if (event.totalSize() - event.size() > maxKeyBytes) {
      throw new InvalidEventException(tooLong(maxKeyBytes), -1);
    }
    return event;
  }

  /** If a client asks whether to go on before it sends the body, the server tells it to. */
  static void proceed(HttpServerRequest request) {
    if ("100-continue".equalsIgnoreCase(request.getHeader(HttpHeaders.EXPECT))) {
      request.response().writeContinue();
    }
  }
}
