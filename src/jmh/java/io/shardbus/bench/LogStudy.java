package io.shardbus.bench;

import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * Events per second that are on the disk when they are acknowledged: the log without a bus around
 * it, Redis with a sync before each answer, and a bare file with a sync for all that waits. Then
 * what an event takes on the disk, and how fast the log is read. If the environment variable {@code
 * REAL_EVENTS} names a file of NDJSON, also as {@code .gz}, its events are written and read too.
 */
final class LogStudy {

  private static final int[] EVENTS_TOGETHER = {1, 16, 256};
  private static final int ROUNDS = 3;
  private static final int EVENTS_TO_SCAN = 131_072;

  private final Vertx vertx;
  private final long window;
  private final Map<String, Way> ways = new LinkedHashMap<>();

  private LogStudy(Vertx vertx, long window) {
    this.vertx = vertx;
    this.window = window;
    ways.put("log", new LogWay(vertx, new JsonObject()));
    ways.put("log, 4 writers", new LogWay(vertx, new JsonObject().put("writers", 4)));
    if (ServerProcess.isInstalled(RedisWay.PROGRAM)) {
      ways.put("Redis, appendfsync always", new RawRedisWay());
    }
    ways.put("bare file, a sync for all that waits", new FileWay(Lots.UNDER_WAY));
  }

  public static void main(String[] arguments) throws Exception {
    Vertx vertx = Vertx.vertx();
    try {
      LogStudy study = new LogStudy(vertx, Study.nanos(arguments) / ROUNDS);
      System.out.println(study.write());
      System.out.println(study.read());
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
          long warmUp = round == 0 ? 2 * window : window / 2;
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

  private double rate(Way way, Lots lots, long warmUp) throws Exception {
    Confirmations confirmations = new Confirmations();
    try (Opened opened = new Opened()) {
      way.open(lots, confirmations, opened);
      Rate.perSecond(confirmations::events, warmUp);
      return Rate.perSecond(confirmations::events, window);
    }
  }

  private Table read() throws IOException {
    Table table =
        new Table(
            "Read back, pages of %d".formatted(EventQuery.MAX_LIMIT),
            "events",
            "events together",
            "bytes an event",
            "bytes an event on the disk",
            "thousand events/s read",
            "thousand events/s read again");
    String name = System.getenv("REAL_EVENTS");
    List<byte[]> real = name == null ? List.of() : lines(Path.of(name));
    for (int together : EVENTS_TOGETHER) {
      read(table, "generated", new Lots(together), EVENTS_TO_SCAN);
      if (!real.isEmpty()) {
        read(table, "real", new Lots(together, real), EVENTS_TO_SCAN / 4);
      }
    }
    return table;
  }

  private static List<byte[]> lines(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file);
        InputStream plain = file.toString().endsWith(".gz") ? new GZIPInputStream(in) : in) {
      return new String(plain.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .map(line -> line.getBytes(StandardCharsets.UTF_8))
          .toList();
    }
  }

  private void read(Table table, String events, Lots lots, int count) throws IOException {
    LogWay way = new LogWay(vertx, new JsonObject().put("synchronous", "off"));
    try (TemporaryFolder folder = new TemporaryFolder()) {
      ReplayableSink sink = way.open(folder.path());
      LogWay.write(sink, lots, count / Lots.UNDER_WAY / lots.size());
      sink.close().await();
      long bytes = bytes(folder.path());
      sink = way.open(folder.path());
      Scan first = scan(sink, count);
      Scan second = scan(sink, count);
      sink.close().await();
      table.row(
          events,
          "" + lots.size(),
          "" + first.bytes() / count,
          "" + bytes / count,
          "%.0f".formatted(first.thousandsPerSecond()),
          "%.0f".formatted(second.thousandsPerSecond()));
    }
  }

  private record Scan(long bytes, double thousandsPerSecond) {}

  private static Scan scan(ReplayableSink sink, int count) {
    long begun = System.nanoTime();
    int events = 0;
    long bytes = 0;
    String cursor = null;
    EventPage page;
    do {
      page = sink.read(EventQuery.of(cursor, EventQuery.MAX_LIMIT)).await();
      events += page.events().size();
      bytes += page.events().stream().mapToLong(stored -> stored.event().size()).sum();
      cursor = page.cursor();
    } while (page.more());
    if (events != count) {
      throw new IllegalStateException("read " + events + " events");
    }
    return new Scan(bytes, events / ((System.nanoTime() - begun) / 1e6));
  }

  private static long bytes(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
    }
  }
}
