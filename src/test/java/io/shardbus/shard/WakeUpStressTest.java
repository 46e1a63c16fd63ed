package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("hot")
class WakeUpStressTest {

  private static final int EVENTS = 300_000;
  private static final long PATIENCE_NANOS = Duration.ofSeconds(20).toNanos();

  private final Shard shard =
      new ShardManager(1, 1024, BackpressureMode.FAIL_PRODUCER).shard(0).orElseThrow();
  private final ExecutorService loop = Executors.newSingleThreadExecutor();
  private final AtomicLong consumed = new AtomicLong();
  private final AtomicLong turns = new AtomicLong();

  private void turn() {
    turns.incrementAndGet();
    DrainBuffer buffer = new DrainBuffer(0, 16);
    // Counted at once, so that the next push meets the consumer on its way to sleep.
    for (int taken = 1; taken > 0; consumed.addAndGet(taken)) {
      taken = shard.tryDrain(buffer, 1024, Long.MAX_VALUE);
    }
    if (!shard.trySleep(1)) {
      loop.execute(this::turn);
    }
  }

  /** Most pushes meet a consumer that is just about to sleep. */
  @Test
  void sleepingConsumer_isAlwaysWoken() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    shard.attachConsumer(() -> loop.execute(this::turn));
    try {
      QueuedEvent event = QueuedEvent.of(RawEvent.of("{}").buffer(), null, 1, null);
      for (int pushed = 1; pushed <= EVENTS; pushed++) {
        assertThat(shard.main().offer(event, true)).isEqualTo(Push.ACCEPTED);
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (consumed.get() < pushed) {
          assertThat(System.nanoTime())
              .as("asleep beside event %d of seed %d", pushed, seed)
              .isLessThan(deadline);
        }
        // Nanoseconds apart: the moment between the last look and falling asleep is a short one.
        for (int delay = random.nextInt(256); delay > 0; delay--) {
          random.nextInt();
        }
      }
      // It did sleep: it was not a poll in disguise.
      assertThat(turns.get()).isLessThan(3L * EVENTS);
    } finally {
      loop.shutdownNow();
    }
  }
}
