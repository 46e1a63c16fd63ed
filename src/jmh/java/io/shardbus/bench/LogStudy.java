package io.shardbus.bench;

import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Events per second that are on the disk when they are acknowledged: the log without a bus around
 * it, Redis with a sync before each answer, and a bare file with a sync for all that waits. Then
 * what an event takes on the disk, and how fast the log is read.
 */
final class LogStudy {

  private static final int[] EVENTS_TOGETHER = {1, 16, 256};
  private static final int ROUNDS = 3;
  private static final long WARM_UP_NANOS = 1_500_000_000;
  private static final long WINDOW_NANOS = 1_000_000_000;
  private static final int EVENTS_TO_SCAN = 131_072;

  private final Vertx vertx;
  private final Map<String, Way> ways = new LinkedHashMap<>();

  private LogStudy(Vertx vertx) {
    this.vertx = vertx;
    ways.put("log", new LogWay(vertx, new JsonObject()));
    ways.put("log, 1 writer", new LogWay(vertx, new JsonObject().put("writers", 1)));
    if (ServerProcess.isInstalled(RedisWay.PROGRAM)) {
      ways.put("Redis, appendfsync always", new RawRedisWay());
    }
    ways.put("bare file, a sync for all that waits", new FileWay(Lots.UNDER_WAY));
  }

  /**
   * @param arguments {@code write} or {@code read} for a half of it
   */
  public static void main(String[] arguments) throws Exception {
    Vertx vertx = Vertx.vertx();
    try {
      LogStudy study = new LogStudy(vertx);
      List<String> parts = arguments.length == 0 ? List.of("write", "read") : List.of(arguments);
      if (parts.contains("write")) {
        System.out.println(study.write());
      }
      if (parts.contains("read")) {
        System.out.println(study.read());
      }
    } finally {
      vertx.close().await();
    }
  }

  private Table write() throws Exception {
    Table table =
        new Table(
            "On the disk, %d B an event, %d lots under way"
                .formatted(Lots.EVENT_BYTES, Lots.UNDER_WAY),
            "way",
            "events together",
            "thousand events/s",
            "range");
    for (int together : EVENTS_TOGETHER) {
      Lots lots = new Lots(together);
      Map<String, List<Double>> rates = new LinkedHashMap<>();
      for (int round = 0; round < ROUNDS; round++) {
        for (Map.Entry<String, Way> way : ways.entrySet()) {
          long warmUp = round == 0 ? WARM_UP_NANOS : WINDOW_NANOS / 2;
          rates
              .computeIfAbsent(way.getKey(), name -> new ArrayList<>())
              .add(rate(way.getValue(), lots, warmUp) / 1e3);
        }
      }
      rates.forEach(
          (way, each) -> {
            Spread spread = new Spread("%.1f", each);
            table.row(way, "" + together, spread.median(), spread.range());
          });
    }
    return table;
  }

  private static double rate(Way way, Lots lots, long warmUp) throws Exception {
    Confirmations confirmations = new Confirmations();
    try (Opened opened = new Opened()) {
      way.open(lots, confirmations, opened);
      Rate.perSecond(confirmations::events, warmUp);
      return Rate.perSecond(confirmations::events, WINDOW_NANOS);
    }
  }

  private Table read() throws IOException {
    Table table =
        new Table(
            "Read back, pages of %d".formatted(EventQuery.MAX_LIMIT),
            "events together",
            "bytes an event on the disk",
            "thousand events/s read",
            "thousand events/s read again");
    LogWay way = new LogWay(vertx, new JsonObject().put("synchronous", "off"));
    for (int together : EVENTS_TOGETHER) {
      try (TemporaryFolder folder = new TemporaryFolder()) {
        ReplayableSink sink = way.open(folder.path());
        LogWay.write(sink, new Lots(together), EVENTS_TO_SCAN / Lots.UNDER_WAY / together);
        sink.close().await();
        long bytes = bytes(folder.path());
        sink = way.open(folder.path());
        double first = scan(sink);
        double second = scan(sink);
        sink.close().await();
        table.row(
            "" + together,
            "" + bytes / EVENTS_TO_SCAN,
            "%.0f".formatted(first),
            "%.0f".formatted(second));
      }
    }
    return table;
  }

  private static double scan(ReplayableSink sink) {
    long begun = System.nanoTime();
    int events = 0;
    String cursor = null;
    EventPage page;
    do {
      page = sink.read(EventQuery.of(cursor, EventQuery.MAX_LIMIT)).await();
      events += page.events().size();
      cursor = page.cursor();
    } while (page.more());
    if (events != EVENTS_TO_SCAN) {
      throw new IllegalStateException("read " + events + " events");
    }
    return events / ((System.nanoTime() - begun) / 1e6);
  }

  private static long bytes(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
    }
  }
}
