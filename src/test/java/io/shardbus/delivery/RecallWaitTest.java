package io.shardbus.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.IngestResult;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.IdWindow;
import io.shardbus.shard.ShardManager;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.junit5.VertxExtension;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Events wait while the ids of an earlier run are recalled. */
@ExtendWith(VertxExtension.class)
class RecallWaitTest {

  private final ShardManager manager = new ShardManager(1, 1024, BackpressureMode.FAIL_PRODUCER);
  private final IdWindow ids = new IdWindow(Duration.ofMinutes(1), 1 << 20);
  private final List<IngestResult> results = Collections.synchronizedList(new ArrayList<>());
  private final List<String> taken = new ArrayList<>();
  private WaitingRoom room;

  @BeforeEach
  void recall(Vertx vertx) {
    manager.rememberIds(ids);
    ids.recalling(true);
    room = new WaitingRoom(vertx, manager);
  }

  private Runnable ingest(String text, @Nullable String key, @Nullable String id) {
    RawEvent event = RawEvent.builder(Buffer.buffer(text)).key(key).id(id).build();
    return room.ingest(event, null, results::add);
  }

  private void awaitTaken(String... texts) {
    Awaitility.await()
        .untilAsserted(
            () -> {
              take();
              assertThat(taken).containsExactly(texts);
            });
  }

  private void take() {
    List<ShardEvent> some = manager.withShard(0, shard -> shard.popBatch(1024)).orElseThrow();
    some.forEach(event -> taken.add(event.payload().toString()));
  }

  @Test
  void eventsWithoutAnId_areTakenBesidesThoseThatWait() {
    ingest("with id", null, "1");
    ingest("with id and key", "key", "2");
    ingest("plain", null, null);
    ingest("other key", "other", null);
    assertThat(results).hasSize(2).allMatch(IngestResult::accepted);
    ids.recalling(false);
    awaitTaken("plain", "other key", "with id", "with id and key");
  }

  @Test
  void eventOfTheSameKey_waitsBehindTheOneWithAnId() {
    ingest("1", "key", "1");
    ingest("2", "key", null);
    ingest("3", "key", "3");
    ingest("4", "key", null);
    ingest("plain", null, null);
    awaitTaken("plain");
    assertThat(room.waiting()).isEqualTo(4);
    ids.recalling(false);
    awaitTaken("plain", "1", "2", "3", "4");
  }

  @Test
  void eventBehindOneThatGivesUp_isTakenInOrder() {
    Runnable cancel = ingest("1", "key", "1");
    ingest("2", "key", null);
    cancel.run();
    ingest("3", "key", null);
    awaitTaken("2", "3");
    assertThat(ids.isRecalling()).isTrue();
  }

  /** The ring is full, so events of the key wait for room as well. */
  @Test
  void orderOfAKey_holdsAlsoAtAFullRing() {
    while (manager.ingestRaw(RawEvent.of("fill")).accepted()) {
      // one more
    }
    ingest("1", "key", null);
    ingest("2", "key", "2");
    Runnable cancel = ingest("3", "key", "3");
    ingest("4", "key", null);
    ids.recalling(false);
    cancel.run();
    Awaitility.await()
        .until(
            () -> {
              take();
              return room.waiting() == 0;
            });
    take();
    assertThat(taken).filteredOn(text -> !text.equals("fill")).containsExactly("1", "2", "4");
  }
}
