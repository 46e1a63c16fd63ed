package io.shardbus.bench;

import io.shardbus.delivery.BatchOptions;
import io.shardbus.sink.SinkOptions;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Events per second that are on the disk when they are acknowledged, over one connection, and how
 * long a lot waits for it: Shardbus with its log, Redis with a sync before each answer, NATS
 * JetStream, which cannot sync each message, and a bare file. As many lots are under way for each,
 * and the bare file is also synced for all of them at once.
 */
final class DurableStudy {

  private static final int[] EVENTS_TOGETHER = {1, 16, 256};

  private final Map<String, Way> ways = new LinkedHashMap<>();
  private final Windows windows;
  private final Table table;

  private DurableStudy(Vertx vertx, int port, int lowLatencyPort, long nanos, String files) {
    windows = new Windows(nanos);
    table =
        new Table(
            "Durable, over one connection, %d B an event, %d lots under way, files on %s; %s"
                .formatted(Lots.EVENT_BYTES, Lots.UNDER_WAY, files, windows),
            "way",
            "events together",
            "thousand events/s",
            "range",
            "acknowledged after, us: p50",
            "p99",
            "max");
    addShardbus("batches as by default", vertx, port, new BatchOptions());
    addShardbus("low-latency batches", vertx, lowLatencyPort, BatchOptions.lowLatency());
    if (ServerProcess.isInstalled(RedisWay.PROGRAM)) {
      ways.put("Redis XADD, appendfsync always", RedisWay.synced(vertx));
    }
    if (ServerProcess.isInstalled(NatsWay.PROGRAM)) {
      ways.put("NATS JetStream, files, not synced (but every 2 min)", new JetStreamWay());
    }
    ways.put("bare file, a sync a lot", new FileWay(1));
    ways.put("bare file, a sync for all lots under way", new FileWay(Lots.UNDER_WAY));
  }

  private void addShardbus(String batches, Vertx vertx, int port, BatchOptions options) {
    ways.put(
        "Shardbus, WebSocket, " + batches,
        new WebSocketWay(vertx, port, "delivered", Lots.UNDER_WAY));
    ways.put("Shardbus, HTTP, pipelined, " + batches, new HttpWay(vertx, port, "delivered"));
    ways.put("Shardbus, deliver(), " + batches, new DeliverWay(vertx, options));
  }

  public static void main(String[] arguments) throws Exception {
    Vertx vertx = Vertx.vertx();
    try (Opened opened = new Opened()) {
      opened.add(() -> vertx.close().await());
      int port = server(new BatchOptions(), opened);
      int lowLatencyPort = server(BatchOptions.lowLatency(), opened);
      String files = Files.getFileStore(Path.of("").toAbsolutePath()).type();
      System.out.println(
          new DurableStudy(vertx, port, lowLatencyPort, Study.nanos(arguments), files).run());
    }
  }

  /** With a log that does not fill the disk. */
  private static int server(BatchOptions batches, Opened opened) throws IOException {
    TemporaryFolder folder = opened.add(new TemporaryFolder());
    Path config = folder.path().resolve("config.json");
    JsonObject log = new JsonObject().put("segmentBytes", 256 << 20).put("maxBytes", 512 << 20);
    Files.writeString(
        config,
        new JsonObject()
            .put(
                "bus",
                new JsonObject()
                    .put("batch", batches.toJson())
                    .put("sink", new SinkOptions("log").setConfig(log).toJson()))
            .encodePrettily());
    return opened.add(ServerProcess.shardbus(folder.path(), "--config", config.toString())).port();
  }

  private Table run() throws Exception {
    for (int events : EVENTS_TOGETHER) {
      windows.measure(ways, new Lots(events)).forEach((way, one) -> row(way, events, one));
    }
    for (String program : List.of(RedisWay.PROGRAM, NatsWay.PROGRAM)) {
      if (!ServerProcess.isInstalled(program)) {
        table.row(program, "", "skipped: not installed", "", "", "", "");
      }
    }
    return table;
  }

  private void row(String way, int events, Windows.Measured one) {
    Spread rate = new Spread("%.1f", one.rates().stream().map(each -> each / 1e3).toList());
    table.row(
        way,
        "" + events,
        rate.median(),
        rate.range(),
        Percentiles.of(one.latencies(), 50),
        Percentiles.of(one.latencies(), 99),
        Percentiles.max(one.latencies()));
  }
}
