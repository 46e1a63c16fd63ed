package io.shardbus.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.delivery.WaitingRoom.Offer;
import io.shardbus.event.IngestResult;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.ShardManager;
import io.vertx.core.Vertx;
import io.vertx.junit5.VertxExtension;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Batches at a ring that is full, with a waiting room that is almost full. */
@ExtendWith(VertxExtension.class)
@Tag("once")
class WaitingRoomTest {

  private static final RawEvent EVENT = RawEvent.of("event");
  private static final long PATIENCE = TimeUnit.MINUTES.toNanos(1);

  private final ShardManager manager = new ShardManager(1, 1024, BackpressureMode.FAIL_PRODUCER);
  private final List<IngestResult> results = new ArrayList<>();
  private final List<Offer> batch =
      List.of(new Offer(EVENT, null, results::add), new Offer(EVENT, null, results::add));
  private WaitingRoom room;
  private int asked;

  @BeforeEach
  void fill(Vertx vertx) {
    room = new WaitingRoom(vertx, manager);
    while (manager.ingestRaw(EVENT).accepted()) {
      // one more
    }
    for (int i = 0; i < WaitingRoom.MAX_WAITING - batch.size(); i++) {
      room.ingest(EVENT, null, result -> {});
    }
  }

  @Test
  void batchThatCannotWait_isInterceptedWhenItIsTaken() {
    room.ingest(EVENT, null, result -> {});
    manager.addInterceptor(
        event -> {
          asked++;
          return event;
        });
    assertThat(room.ingestAllWithin(batch, PATIENCE)).isFalse();
    assertThat(asked).isZero();
    manager.withShard(0, shard -> shard.popBatch(10));
    Awaitility.await().until(() -> room.waiting() < WaitingRoom.MAX_WAITING - batch.size());
    assertThat(room.ingestAllWithin(batch, PATIENCE)).isTrue();
    assertThat(asked).isEqualTo(batch.size());
  }

  @Test
  void roomOfABatch_isKeptWhileInterceptorsAreAsked() {
    List<IngestResult> others = new ArrayList<>();
    manager.addInterceptor(
        event -> {
          if (asked++ == 0) {
            room.ingest(EVENT, null, others::add);
          }
          return event;
        });
    assertThat(room.ingestAllWithin(batch, PATIENCE)).isTrue();
    assertThat(others).extracting(IngestResult::outcome).containsExactly(Outcome.BACKPRESSURE);
    assertThat(results).isEmpty();
    assertThat(room.waiting()).isEqualTo(WaitingRoom.MAX_WAITING);
    Awaitility.await().until(this::drained);
    assertThat(results).hasSize(2).allMatch(IngestResult::accepted);
  }

  @Test
  void eventsThatWaitWhenVertxEnds_areRefused(Vertx vertx) {
    room.ingest(EVENT, null, results::add);
    vertx.close().await();
    Awaitility.await().atMost(30, TimeUnit.SECONDS).until(() -> room.waiting() == 0);
    assertThat(results).extracting(IngestResult::outcome).containsExactly(Outcome.BACKPRESSURE);
  }

  private boolean drained() {
    manager.withShard(0, shard -> shard.popBatch(1024));
    return room.waiting() == 0;
  }
}
