package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The engine alone, while shards come and go and slots move: events of a key are had in push order,
 * and accounts add up. {@code -Dlanes.seed} and {@code -Dlanes.rounds} say which and how many.
 */
@Tag("hot")
@Tag("slow")
class LaneStressTest {

  private static final int ROUNDS = Integer.getInteger("lanes.rounds", 8);
  private static final int KEYS = 64;
  private static final int PRODUCERS = 3;

  @ParameterizedTest
  @ValueSource(strings = {"fail-producer", "drop-newest", "drop-oldest", "sample(3)"})
  void keys_keepTheirOrderWhateverMoves(String mode) throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      long seed = Long.getLong("lanes.seed", System.nanoTime());
      try {
        new Round(seed, BackpressureMode.parse(mode)).run();
      } catch (Throwable e) {
        throw new AssertionError("-Dlanes.seed=" + seed, e);
      }
    }
  }

  private static final class Round {

    private final Random random;
    private final ShardManager manager;
    private final AtomicLong accepted = new AtomicLong();
    private final long[][] last = new long[PRODUCERS][KEYS];
    private final List<String> faults = new ArrayList<>();
    private long popped;
    private int moves;

    Round(long seed, BackpressureMode mode) {
      random = new Random(seed);
      ScalingPolicy policy =
          new ScalingPolicy()
              .setMaxShards(6)
              .setCooldown(Duration.ZERO)
              .setMetricsWindow(Duration.ofMillis(50 + random.nextInt(200)));
      manager =
          new ShardManager(
              2,
              1024,
              mode,
              policy,
              ShardLimits.DEFAULT,
              new MonotonicClock(),
              () -> 100 * System.nanoTime()); // many windows in a short test
    }

    void run() throws Exception {
      List<Thread> producers = new ArrayList<>();
      for (int i = 0; i < PRODUCERS; i++) {
        int producer = i;
        long seed = random.nextLong();
        Thread thread = new Thread(() -> produce(producer, new Random(seed)));
        thread.start();
        producers.add(thread);
      }
      Thread changer = new Thread(() -> change(new Random(random.nextLong())));
      changer.start();
      while (producers.stream().anyMatch(Thread::isAlive) || changer.isAlive()) {
        consume();
      }
      for (int i = 0; i < 100_000 && !manager.allShardsEmpty(); i++) {
        consume();
        manager.mapper().orElseThrow().finalizeDraining();
        manager.mapper().orElseThrow().removeStoppedShards();
      }
      ShardAccounting account = manager.accounting();
      assertThat(faults).isEmpty();
      assertThat(account.accepted()).as("%s", account).isEqualTo(accepted.get());
      assertThat(account.delivered() + account.evicted())
          .as("%s", account)
          .isEqualTo(accepted.get());
      assertThat(account.pending()).isZero();
      assertThat(popped).isEqualTo(account.delivered());
      assertThat(moves).isPositive();
    }

    private void produce(int producer, Random dice) {
      long[] next = new long[KEYS];
      for (int i = 0; i < 60_000; i++) {
        int key = dice.nextInt(4) == 0 ? 0 : dice.nextInt(KEYS); // one is hot
        if (dice.nextInt(8) == 0) {
          List<RawEvent> batch = new ArrayList<>();
          for (int n = 0; n < 20; n++) {
            batch.add(event(producer, (key + n) % KEYS, ++next[(key + n) % KEYS]));
          }
          accepted.addAndGet(manager.ingestRawBatch(batch).accepted());
        } else if (manager.ingestRaw(event(producer, key, ++next[key])).accepted()) {
          accepted.incrementAndGet();
        }
        if (dice.nextInt(64) == 0) {
          Thread.onSpinWait();
        }
      }
    }

    private static RawEvent event(int producer, int key, long number) {
      Buffer payload = Buffer.buffer(12).appendByte((byte) producer).appendInt(key);
      return RawEvent.of(payload.appendLong(number), "key " + key);
    }

    private void change(Random dice) {
      long end = System.nanoTime() + Duration.ofMillis(400).toNanos();
      ShardMapper mapper = manager.mapper().orElseThrow();
      while (System.nanoTime() < end) {
        try {
          switch (dice.nextInt(4)) {
            case 0 -> manager.activateShard(manager.addShardForce());
            case 1 -> mapper.scaleDown(1, true);
            default -> manager.collectMetrics();
          }
          mapper.finalizeDraining();
          mapper.removeStoppedShards();
        } catch (ScalingException e) {
          // as many, or as few, as there may be
        }
        Thread.onSpinWait();
      }
      moves = (int) mapper.slotsMoved();
    }

    /** One thread consumes all shards, so that the order in which it has events is theirs. */
    private void consume() {
      for (Shard shard : manager.shards()) {
        if (random.nextInt(4) == 0) {
          continue; // a slow one
        }
        for (ShardEvent event : shard.popBatch(1 + random.nextInt(300))) {
          popped++;
          int producer = event.payload().getByte(0);
          int key = event.payload().getInt(1);
          long number = event.payload().getLong(5);
          if (number <= last[producer][key] && faults.size() < 10) {
            faults.add(
                "key " + key + " of " + producer + ": " + number + " after " + last[producer][key]);
          }
          last[producer][key] = number;
        }
      }
    }
  }
}
