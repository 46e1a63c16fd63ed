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
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
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

  /** A header as that of Shardbus, by which readers know events that are there twice. */
  private static final String WITH_NAMES = "kafka-clients, tuned, a header an event";

  private static final Map<String, Double> TARGETS = Map.of(DEFAULTS, 0.8, TUNED, 0.6);
  private static final int KEYS = 1000;
  private static final int EVENTS_TOGETHER = 256;
  private static final long WAIT_NANOS = 100_000;

  private final Map<String, Way> ways = new LinkedHashMap<>();
  private final Windows windows;
  private final Table table;

  private KafkaStudy(Vertx vertx, int port, long nanos) {
    windows = new Windows(nanos);
    String servers = "127.0.0.1:" + port;
    ways.put("Shardbus", (lots, seen, opened) -> bus(vertx, servers, lots, seen, opened));
    Map<String, Object> tuning =
        Map.of("batch.size", 512 << 10, "linger.ms", 10, "buffer.memory", 64L << 20);
    putClient(DEFAULTS, servers, Map.of(), false);
    putClient(TUNED, servers, tuning, false);
    putClient(WITH_NAMES, servers, tuning, true);
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
    opened.add(
        new Loop(
            "producer",
            () -> {
              for (byte[] bytes : cycle.next()) {
                RawEvent event = RawEvent.of(Buffer.buffer(bytes), keys.get(next[0]++ % KEYS));
                while (!bus.ingest(event).accepted()) {
                  LockSupport.parkNanos(WAIT_NANOS); // as kafka-clients wait for memory
                }
              }
              long now = bus.stats().total().delivered();
              seen.add(now - delivered[0]);
              delivered[0] = now;
            }));
  }

  private void putClient(
      String name, String servers, Map<String, Object> tuning, boolean withNames) {
    ways.put(name, (lots, seen, opened) -> client(servers, tuning, withNames, lots, seen, opened));
  }

  private static void client(
      String servers,
      Map<String, Object> tuning,
      boolean withNames,
      Lots lots,
      Confirmations seen,
      Opened opened) {
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
                        new ProducerRecord<>(
                            TOPIC,
                            null,
                            null,
                            keys.get(next[0]++ % KEYS),
                            bytes,
                            withNames ? name(next[0]) : List.of()),
                        (written, failure) -> seen.add(failure == null ? 1L : 0L));
              }
            }));
  }

  private static List<Header> name(long sequence) {
    String name = "0123456789abcdef:1:3:" + sequence + ":" + System.currentTimeMillis() + "000000";
    return List.of(new RecordHeader("Shardbus-Event", name.getBytes(StandardCharsets.UTF_8)));
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
        TARGETS.containsKey(way)
            ? Target.atLeast(TARGETS.get(way), "times " + way, Median.of(ratios))
            : "");
  }
}
