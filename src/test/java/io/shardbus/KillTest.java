package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.testing.AckingProcess;
import io.shardbus.testing.LogChecker;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What was acknowledged as delivered survives {@code kill -9} at any moment. {@code
 * -Dkill.rounds=1000} kills more often.
 */
@Tag("slow")
class KillTest {

  private static final int ROUNDS = Integer.getInteger("kill.rounds", 10);
  private static final int LONGEST_LIFE_MILLIS = 600;

  @TempDir Path dir;
  private final Vertx vertx = Vertx.vertx();

  @AfterEach
  void close() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  @Test
  void acknowledgedEvents_surviveKillMinusNine() throws Exception {
    LogChecker log = new LogChecker(vertx, dir.resolve("data"));
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    long acknowledged = 0;
    int fruitless = 0;
    for (int round = 0; round < ROUNDS; round++) {
      Set<Integer> acked = liveAndDie(round, random);
      acknowledged += acked.size();
      fruitless += acked.isEmpty() ? 1 : 0;
      Set<Integer> found = log.readOn(round);
      acked.removeAll(found);
      assertThat(acked).as("lost in round %d of seed %d", round, seed).isEmpty();
    }
    System.out.printf(
        "%d kills, %d of them before the first acknowledgement: %d events acknowledged, %d stored,"
            + " none lost, none twice%n",
        ROUNDS, fruitless, acknowledged, log.stored());
    assertThat(acknowledged).isPositive();
  }

  /** Sometimes killed while it starts, more often later. */
  private Set<Integer> liveAndDie(int round, Random random) throws Exception {
    Path acks = dir.resolve("acks");
    Path errors = dir.resolve("errors");
    Process process = AckingProcess.start(dir.resolve("data"), round, acks, errors);
    if (random.nextInt(10) > 0) {
      Awaitility.await()
          .atMost(60, TimeUnit.SECONDS)
          .pollInterval(5, TimeUnit.MILLISECONDS)
          .until(() -> Files.size(acks) > 0 || !process.isAlive());
    } // else it dies while it starts
    boolean lived = !process.waitFor(random.nextInt(LONGEST_LIFE_MILLIS), TimeUnit.MILLISECONDS);
    assertThat(lived).as(Files.readString(errors)).isTrue();
    process.destroyForcibly();
    assertThat(process.waitFor()).isEqualTo(128 + 9);
    return AckingProcess.acknowledged(acks);
  }
}
