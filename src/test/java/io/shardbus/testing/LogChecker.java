package io.shardbus.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.shardbus.event.ProducerId;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.shardbus.sink.StoredEvent;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Reads what an {@link AckingProcess} left in its log, and checks order and uniqueness. */
public final class LogChecker {

  private final Vertx vertx;
  private final Path data;
  private final Map<String, Last> last = new HashMap<>();
  private String cursor;
  private long stored;

  /** Of an epoch's shard: a single thread ingests rising numbers, and so they must rise here. */
  private record Last(long sequence, int number) {}

  public LogChecker(Vertx vertx, Path data) {
    this.vertx = vertx;
    this.data = data;
  }

  public long stored() {
    return stored;
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  /** Reads from where the round before ended: cursors outlive kills too. */
  public Set<Integer> readOn(int round) throws Exception {
    ReplayableSink log =
        (ReplayableSink)
            Sinks.create(new SinkOptions("log").setConfig(new JsonObject().put("writers", 2)));
    Files.createDirectories(data);
    await(log.open(new SinkContext(vertx, new ProducerId("reader", 1), data)));
    Set<Integer> found = new HashSet<>();
    EventPage page;
    do {
      page = await(log.read(EventQuery.of(cursor, 10_000)));
      cursor = page.cursor();
      for (StoredEvent event : page.events()) {
        take(event, round, found);
      }
    } while (page.more());
    await(log.close());
    try (Stream<Path> files = Files.walk(data)) {
      assertThat(files).noneMatch(file -> file.getFileName().toString().contains(".damaged"));
    }
    return found;
  }

  private void take(StoredEvent stored, int round, Set<Integer> found) {
    JsonObject event = stored.event().payload().toJsonObject();
    int number = event.getInteger("n");
    String stream = stored.epoch() + "/" + stored.event().shard();
    Last before = last.getOrDefault(stream, new Last(-1, -1));
    if (event.getInteger("round") != round
        || !found.add(number)
        || number <= before.number()
        || stored.event().sequence() != before.sequence() + 1) {
      fail(
          "%s is not of round %d, or there twice, or sequence %d of shard %s after %s",
          event, round, stored.event().sequence(), stream, before);
    }
    last.put(stream, new Last(stored.event().sequence(), number));
    this.stored++;
  }
}
