package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Outcome;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A lane that opens while a producer pushes into it, step by step, on one thread. */
class LaneOpeningTest {

  private static final int EVENT_BYTES = 2000;

  private final Shard giver = shard(0);
  private final Shard receiver = shard(1);
  private final Lane fenced = receiver.newLane(List.of(giver.main()), List.of());

  /** Two events over 1 KiB fit into a ring, by their bytes. */
  private static Shard shard(int id) {
    ShardLedger ledger = new ShardLedger();
    return new Shard(id, 1024, BackpressureMode.DROP_OLDEST, 2 * EVENT_BYTES, ledger, () -> 1);
  }

  private static QueuedEvent event(int bytes, DeliveryAck ack) {
    return QueuedEvent.of(Buffer.buffer(new byte[bytes]), null, 1, ack);
  }

  private static final DeliveryAck NOBODY =
      new DeliveryAck() {
        @Override
        public void delivered(int events) {}

        @Override
        public void failed(Outcome failure, int events) {}
      };

  /**
   * The producer has to make room twice. In between, the fence opens, and the consumer finds the
   * lane empty and goes to sleep.
   */
  @Test
  void pushIntoALaneThatOpensMeanwhile_wakesTheConsumer() {
    receiver.install(fenced);
    AtomicInteger woken = new AtomicInteger();
    receiver.attachConsumer(woken::incrementAndGet);
    fenced.offer(event(EVENT_BYTES, NOBODY), true);
    fenced.offer(event(EVENT_BYTES, NOBODY), true);
    assertThat(receiver.trySleep(1)).isTrue();
    woken.set(0);

    List<Boolean> slept = new ArrayList<>();
    Push result =
        fenced.offer(
            event(EVENT_BYTES + 1, null),
            true,
            evicted -> {
              giver.main().requestSeal();
              assertThat(giver.isSettled()).isTrue();
              assertThat(receiver.popBatch(10)).hasSize(1);
              slept.add(receiver.trySleep(1));
              woken.set(0);
            });

    assertThat(result).isEqualTo(Push.ACCEPTED);
    assertThat(slept).containsExactly(true);
    assertThat(woken).hasValue(1);
    assertThat(receiver.popBatch(10)).hasSize(1);
  }
}
