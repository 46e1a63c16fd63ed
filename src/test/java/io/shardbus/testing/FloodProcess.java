package io.shardbus.testing;

import io.shardbus.BusStats;
import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.shardbus.junit5.RecordingSink;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A process with a bus of default options and a sink that hangs. Producers push 1 KiB events until
 * all are refused; then it compares what they were told with the bus's accounts.
 */
public final class FloodProcess {

  private static final int PRODUCERS = 4;

  /** Longer than a shard takes to move a batch from the ring to the sink. */
  private static final int REFUSALS_IN_A_ROW = 50_000;

  private FloodProcess() {}

  /** Starts one in a process of its own. */
  public static Process start(String heap, Path out, Path errors) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx" + heap,
            "-XX:+ExitOnOutOfMemoryError",
            "-cp",
            System.getProperty("java.class.path"),
            FloodProcess.class.getName())
        .redirectOutput(out.toFile())
        .redirectError(errors.toFile())
        .start();
  }

  public static void main(String[] args) throws Exception {
    Promise<Void> never = Promise.promise();
    ShardBus bus =
        ShardBus.start(
                Vertx.vertx(),
                new ShardBusOptions(),
                new RecordingSink().behave(batch -> never.future()))
            .toCompletionStage()
            .toCompletableFuture()
            .get(30, TimeUnit.SECONDS);
    AtomicLong accepted = new AtomicLong();
    AtomicLong refused = new AtomicLong();
    List<Thread> producers = new ArrayList<>();
    for (int i = 0; i < PRODUCERS; i++) {
      Thread producer = new Thread(() -> push(bus, accepted, refused));
      producers.add(producer);
      producer.start();
    }
    for (Thread producer : producers) {
      producer.join();
    }
    BusStats stats = bus.stats();
    boolean balanced =
        stats.total().accepted() == accepted.get()
            && stats.total().backpressure() == refused.get()
            && stats.total().pending() == accepted.get()
            && stats.offered() == accepted.get() + refused.get();
    System.out.println((balanced ? "balanced: " : "off: ") + accepted + " accepted, " + stats);
    System.out.flush();
    Runtime.getRuntime().halt(balanced ? 0 : 1); // the sink never lets it close
  }

  private static void push(ShardBus bus, AtomicLong accepted, AtomicLong refused) {
    Random random = new Random();
    int inARow = 0;
    while (inARow < REFUSALS_IN_A_ROW) {
      if (bus.ingest(event(random)).accepted()) {
        accepted.incrementAndGet();
        inARow = 0;
      } else {
        refused.incrementAndGet();
        inARow++;
      }
    }
  }

  /** Of 1 KiB; different ones, so that all shards get some. */
  private static RawEvent event(Random random) {
    return RawEvent.of(ByteBuffer.allocate(1024).putLong(random.nextLong()).array());
  }
}
