package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Batch;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.SinkContext;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ReadTurnsTest {

  private static final EventQuery QUERY = EventQuery.of(null, 1);

  private final Vertx vertx = Vertx.vertx();
  private final ReadTurns turns = new ReadTurns(vertx);
  private final Slow log = new Slow();

  /** Its reads end when the test says so. */
  private static final class Slow implements ReplayableSink {

    final List<Promise<EventPage>> asked = new CopyOnWriteArrayList<>();
    volatile boolean broken;

    @Override
    public String name() {
      return "slow";
    }

    @Override
    public Future<Void> open(SinkContext context) {
      return Future.succeededFuture();
    }

    @Override
    public Future<Void> write(Batch batch) {
      return Future.succeededFuture();
    }

    @Override
    public Future<EventPage> read(EventQuery query) {
      if (broken) {
        throw new AssertionError("broken");
      }
      Promise<EventPage> promise = Promise.promise();
      asked.add(promise);
      return promise.future();
    }

    @Override
    public Future<String> endCursor() {
      return Future.succeededFuture("");
    }

    @Override
    public Runnable onAppend(Runnable listener) {
      return () -> {};
    }

    @Override
    public Future<Void> close() {
      return Future.succeededFuture();
    }
  }

  @AfterEach
  void tearDown() throws Exception {
    vertx.close().toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private void answerAll(int from, int to) {
    Awaitility.await().until(() -> log.asked.size() == to);
    for (Promise<EventPage> each : log.asked.subList(from, to)) {
      each.complete(new EventPage(List.of(), "", false, 0));
    }
  }

  @Test
  void aFewAreReadAtOnce_theOthersInTurn() {
    List<Future<EventPage>> pages = new ArrayList<>();
    boolean[] gone = new boolean[1];
    for (int i = 0; i < 40; i++) {
      pages.add(turns.take(() -> log.read(QUERY), i == 20 ? () -> gone[0] : () -> false));
    }
    gone[0] = true;
    answerAll(0, 16);
    answerAll(16, 32);
    answerAll(32, 39); // one went
    Awaitility.await().until(() -> pages.stream().allMatch(Future::isComplete));
    assertThat(pages.stream().filter(Future::failed).toList()).containsExactly(pages.get(20));
  }

  @Test
  void readsThatFail_giveTheirTurnOn() {
    log.broken = true;
    List<Future<EventPage>> pages = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      pages.add(turns.take(i % 2 == 0 ? () -> null : () -> log.read(QUERY), () -> false));
    }
    Awaitility.await().until(() -> pages.stream().allMatch(Future::failed));
    assertThat(pages.get(99).cause()).hasMessage("broken");
  }
}
