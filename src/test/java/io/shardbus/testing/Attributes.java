package io.shardbus.testing;

import io.shardbus.event.Headers;
import io.shardbus.event.ShardEvent;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Events with much, or nothing, beside their bytes. */
public final class Attributes {

  /** What formats like to lose, and names that are also names of backends. */
  private static final List<String> VALUES =
      List.of(
          "plain",
          "",
          " spaces at the ends ",
          "a\ttab",
          "100 %, 100%25, %zz \"quoted\", 'x'",
          "é ☃ \ud83d\ude00",
          "a=b;c=\"d\", e");

  private static final List<String> NAMES =
      List.of(
          "traceparent",
          "key",
          "payload",
          "time",
          "producer",
          "shardbus-shard",
          "shardbus-encoded",
          "nats-msg-id",
          "nats-rollup",
          "header",
          "ce-id",
          "ce_other",
          "content-type",
          "!#$%&'*+-.^_`|~");

  private Attributes() {}

  /** As many headers as there may be, of as many bytes. */
  public static Headers most() {
    Map<String, String> all = new LinkedHashMap<>();
    int bytes = 0;
    for (int i = 0; i < Headers.MAX_COUNT - 1; i++) {
      String name = i < NAMES.size() ? NAMES.get(i) : "h" + i;
      String value = VALUES.get(i % VALUES.size());
      bytes += name.length() + value.getBytes(StandardCharsets.UTF_8).length;
      all.put(name, value);
    }
    all.put("rest", "r".repeat(Headers.MAX_BYTES - bytes - "rest".length()));
    return Headers.of(all);
  }

  /** The headers of a CloudEvent with an extension and data of a type. */
  public static Headers ofCloudEvent() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("ce-specversion", "1.0");
    all.put("ce-id", "é 17%");
    all.put("ce-source", "/shop/\"till\"");
    all.put("ce-type", "com.example.sold");
    all.put("ce-extension", "x");
    all.put("content-type", "application/json; charset=utf-8");
    all.put("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    return Headers.of(all);
  }

  /** Three events of a shard: one with all there can be, one with nothing, and a CloudEvent. */
  public static List<ShardEvent> events(int shard, long timestamp) {
    return List.of(
        new ShardEvent(
            shard, 0, timestamp, Buffer.buffer("{\"n\":0}"), "key é %", "id ☃ %41: +", most()),
        new ShardEvent(
            shard, 1, timestamp + 1, Buffer.buffer("{\"n\":1}"), null, null, Headers.none()),
        new ShardEvent(
            shard, 2, timestamp + 2, Buffer.buffer("{\"n\":2}"), "", "i", ofCloudEvent()));
  }
}
