package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.delivery.WaitingRoom;
import io.shardbus.delivery.WaitingRoom.Offer;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.vertx.core.Vertx;
import io.vertx.junit5.VertxExtension;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A batch in whose middle memory is missing. */
@ExtendWith(VertxExtension.class)
class BatchMemoryTest {

  /** Else the caller would send it again, and the events before that one would come twice. */
  @Test
  void batchOfWhichEventsAreTaken_isTaken(Vertx vertx) {
    AtomicInteger reads = new AtomicInteger();
    ShardManager manager =
        new ShardManager(
            1,
            1024,
            BackpressureMode.FAIL_PRODUCER,
            null,
            ShardLimits.DEFAULT,
            () -> {
              if (reads.incrementAndGet() == 2) {
                throw new InternalError("no memory"); // JUnit itself stops at an OutOfMemoryError
              }
              return reads.get();
            },
            System::nanoTime);
    List<Outcome> outcomes = new ArrayList<>();
    Offer offer = new Offer(RawEvent.of("event"), null, result -> outcomes.add(result.outcome()));
    reads.set(0);
    boolean taken =
        new WaitingRoom(vertx, manager).ingestAllWithin(List.of(offer, offer, offer), 0);
    assertThat(taken).isTrue();
    assertThat(outcomes).containsExactly(Outcome.ACCEPTED, Outcome.UNKNOWN, Outcome.ACCEPTED);
    assertThat(manager.withShard(0, shard -> shard.popBatch(10)).orElseThrow()).hasSize(2);
  }
}
