package io.shardbus.bench;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.shardbus.sink.SinkOptions;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Keyed events per second into a topic of a broker in a process of its own: Shardbus, and
 * kafka-clients with its defaults and tuned, in alternated windows. An event counts when the broker
 * has confirmed it.
 */
final class KafkaStudy {

  private static final String TOPIC = "bench";
  private static final String DEFAULTS = "kafka-clients, defaults";
  private static final String TUNED = "kafka-clients, tuned";
  private static final int KEYS = 1000;
  private static final int EVENTS_TOGETHER = 256;

  private final Map<String, Way> ways = new LinkedHashMap<>();
  private final Windows windows;
  private final Table table;

  private KafkaStudy(Vertx vertx, int port, long nanos) {
    windows = new Windows(nanos);
    String servers = "127.0.0.1:" + port;
    ways.put("Shardbus", (lots, seen, opened) -> bus(vertx, servers, lots, seen, opened));
    ways.put(DEFAULTS, (lots, seen, opened) -> client(servers, Map.of(), lots, seen, opened));
    ways.put(
        TUNED,
        (lots, seen, opened) ->
            client(
                servers,
                Map.of("batch.size", 512 << 10, "linger.ms", 10, "buffer.memory", 64L << 20),
                lots,
                seen,
                opened));
    table =
        new Table(
            "Into Kafka, 8 partitions, %d keys, %d B an event; %s"
                .formatted(KEYS, Lots.EVENT_BYTES, windows),
            "way",
            "thousand events/s",
            "range",
            "Shardbus to it",
            "range",
            "target");
  }

  public static void main(String[] arguments) throws Exception {
    Vertx vertx = Vertx.vertx();
    try (Opened opened = new Opened()) {
      opened.add(() -> vertx.close().await());
      TemporaryFolder folder = opened.add(new TemporaryFolder());
      int port = opened.add(ServerProcess.java(folder.path(), KafkaProgram.class)).port();
      System.out.println(new KafkaStudy(vertx, port, Study.nanos(arguments)).run());
    }
  }

  private static List<String> keys() {
    return IntStream.range(0, KEYS).mapToObj(i -> "key-" + i).toList();
  }

  private static void bus(Vertx vertx, String servers, Lots lots, Confirmations seen, Opened opened)
      throws IOException {
    ShardBusOptions options =
        new ShardBusOptions()
            .setDataDir(opened.add(new TemporaryFolder()).path().toString())
            .setSink(
                new SinkOptions("kafka")
                    .setConfig(
                        new JsonObject().put("bootstrapServers", servers).put("topic", TOPIC)));
    ShardBus bus = ShardBus.start(vertx, options).await();
    opened.add(() -> bus.close().await());
    Lots.Cycle<List<byte[]>> cycle = lots.as(lot -> lot);
    List<String> keys = keys();
    int[] next = {0};
    long[] delivered = {0};
    Idle idle = new Idle();
    opened.add(
        new Loop(
            "producer",
            () -> {
              for (byte[] bytes : cycle.next()) {
                RawEvent event = RawEvent.of(Buffer.buffer(bytes), keys.get(next[0]++ % KEYS));
                idle.reset();
                while (!bus.ingest(event).accepted()) {
                  idle.pause();
                }
              }
              long now = bus.stats().total().delivered();
              seen.add(now - delivered[0]);
              delivered[0] = now;
            }));
  }

  private static void client(
      String servers, Map<String, Object> tuning, Lots lots, Confirmations seen, Opened opened) {
    Map<String, Object> properties = new HashMap<>(tuning);
    properties.put("bootstrap.servers", servers);
    KafkaProducer<byte[], byte[]> producer =
        opened.add(
            new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer()));
    Lots.Cycle<List<byte[]>> cycle = lots.as(lot -> lot);
    List<byte[]> keys = keys().stream().map(key -> key.getBytes(StandardCharsets.UTF_8)).toList();
    int[] next = {0};
    opened.add(
        new Loop(
            "producer",
            () -> {
              for (byte[] bytes : cycle.next()) {
                var unused =
                    producer.send(
                        new ProducerRecord<>(TOPIC, keys.get(next[0]++ % KEYS), bytes),
                        (written, failure) -> seen.add(failure == null ? 1L : 0L));
              }
            }));
  }

  private Table run() throws Exception {
    Map<String, Windows.Measured> measured = windows.measure(ways, new Lots(EVENTS_TOGETHER));
    List<Double> mine = measured.get("Shardbus").rates();
    measured.forEach((way, one) -> row(way, one.rates(), mine));
    return table;
  }

  private void row(String way, List<Double> rates, List<Double> mine) {
    Spread rate = new Spread("%.1f", rates.stream().map(each -> each / 1e3).toList());
    if (rates == mine) {
      table.row(way, rate.median(), rate.range(), "", "", "");
      return;
    }
    List<Double> ratios =
        IntStream.range(0, rates.size()).mapToObj(i -> mine.get(i) / rates.get(i)).toList();
    Spread ratio = new Spread("%.2f", ratios);
    table.row(
        way,
        rate.median(),
        rate.range(),
        ratio.median(),
        ratio.range(),
        Target.atLeast(way.equals(TUNED) ? 0.6 : 0.8, "times " + way, Median.of(ratios)));
  }
}
