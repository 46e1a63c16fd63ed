package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.delivery.WaitingRoom;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.AllocationFaults;
import io.shardbus.shard.AllocationFaults.Seam;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.ShardManager;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Memory runs out once, at each place in turn, while a stream takes an event: the event is not
 * taken twice, and the stream ends.
 */
@Tag("once")
class IngestStreamMemoryTest {

  private final Vertx vertx = Vertx.vertx();

  /** When memory runs out. */
  private enum When {
    PUSHED,
    BEGINS_TO_WAIT,
    TRIED_AGAIN
  }

  @AfterEach
  void close() {
    vertx.close().await();
  }

  @ParameterizedTest
  @EnumSource
  void event_isTakenOnceAndTheStreamEnds(When when) throws Exception {
    var round = new AllocationFaults("io.shardbus.").rounds(TestRound.class, vertx);
    BitSet places = new BitSet();
    for (int i = 0; i < 3; i++) { // the first loads classes
      round.accept(when.name(), new int[] {-1, 0});
      places.or(Seam.end());
    }
    assertThat(places.cardinality()).isGreaterThan(1);
    List<String> failed = new ArrayList<>();
    for (int place : places.stream().toArray()) {
      try {
        round.accept(when.name(), new int[] {place, 1});
      } catch (Throwable e) {
        failed.add(place + ": " + e);
      }
    }
    assertThat(failed).isEmpty();
  }

  static final class TestRound implements BiConsumer<String, int[]> {

    private static final RawEvent FILL = RawEvent.of("fill");
    private final Vertx vertx;
    private ShardManager manager;

    TestRound(Vertx vertx) {
      this.vertx = vertx;
    }

    @Override
    public void accept(String name, int[] at) {
      When when = When.valueOf(name);
      manager = new ShardManager(1, 1024, BackpressureMode.FAIL_PRODUCER);
      while (when != When.PUSHED && manager.ingestRaw(FILL).accepted()) {
        // one more
      }
      WaitingRoom room = new WaitingRoom(vertx, manager);
      IngestStream stream = new IngestStream(room, () -> 1000, vertx.getOrCreateContext());
      stream.setWriteQueueMaxSize(1);
      RawEvent event = RawEvent.of("event");
      Future<Void> written;
      if (when == When.TRIED_AGAIN) {
        written = stream.write(event);
        synchronized (room) { // it is not tried before memory runs out
          take();
          Seam.begin(at[0], at[1]);
        }
        Awaitility.await().atMost(20, TimeUnit.SECONDS).until(() -> room.waiting() == 0);
      } else {
        Seam.begin(at[0], at[1]);
        written = write(stream, event);
      }
      Seam.end();
      int taken = take();
      Awaitility.await().atMost(20, TimeUnit.SECONDS).until(() -> !stream.writeQueueFull());
      Future<Void> ended = stream.end();
      Awaitility.await()
          .atMost(20, TimeUnit.SECONDS)
          .until(() -> ended.isComplete() && written.isComplete());
      taken += take();
      assertThat(taken).isBetween(written.succeeded() ? 1 : 0, 1);
    }

    private static Future<Void> write(IngestStream stream, RawEvent event) {
      try {
        return stream.write(event);
      } catch (OutOfMemoryError e) {
        return Future.failedFuture(e);
      }
    }

    private int take() {
      return (int)
          manager.withShard(0, shard -> shard.popBatch(2000)).orElseThrow().stream()
              .filter(event -> event.payload().length() == 5)
              .count();
    }
  }
}
