package io.shardbus.testing;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.Batch;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.ShardAccounting;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * A process whose heap other threads exhaust while a bus is at work. When they have stopped it says
 * what became of the events: "ok", or what is wrong.
 */
public final class StarvedProcess {

  private static final int EVENTS = 300_000;
  private static final int WARM_UP = 5_000;
  private static final int SHARDS = 2;
  private static final String NO_FAULT = "none";

  private StarvedProcess() {}

  /** Starts one. */
  public static Process start(Path output) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx48m",
            "-XX:+UseSerialGC",
            "-cp",
            System.getProperty("java.class.path"),
            StarvedProcess.class.getName())
        .redirectErrorStream(true)
        .redirectOutput(output.toFile())
        .start();
  }

  /** Makes its checks without making an object where that would change the outcome. */
  private static final class CheckingSink implements Sink {

    private static final Future<Void> TAKEN = Future.succeededFuture();

    private final long[][] numberBySequence = new long[SHARDS][EVENTS];
    private final boolean[] delivered = new boolean[EVENTS];
    private final long[][] batches = new long[SHARDS][10_000];
    private volatile String fault = NO_FAULT;

    @Override
    public String name() {
      return "checking";
    }

    @Override
    public Future<Void> open(SinkContext context) {
      return TAKEN;
    }

    @Override
    public Future<Void> write(Batch batch) {
      long[] numbers = batches[batch.shard()];
      int size = batch.size();
      for (int i = 0; i < size; i++) { // may run out of memory
        numbers[i] = batch.events().get(i).payload().getLong(0);
      }
      take(batch.shard(), batch.firstSequence(), numbers, size);
      return TAKEN;
    }

    private synchronized void take(int shard, long first, long[] numbers, int size) {
      for (int i = 0; i < size; i++) {
        int at = (int) first + i;
        long known = numberBySequence[shard][at];
        if (known != 0 && known != numbers[i] + 1) {
          fault = "sequence given to two events";
        }
        if (known == 0 && delivered[(int) numbers[i]]) {
          fault = "event has two sequences";
        }
        numberBySequence[shard][at] = numbers[i] + 1;
        delivered[(int) numbers[i]] = true;
      }
    }

    @Override
    public Future<Void> close() {
      return TAKEN;
    }

    synchronized int deliveredEvents() {
      int count = 0;
      for (boolean one : delivered) {
        count += one ? 1 : 0;
      }
      return count;
    }
  }

  public static void main(String[] args) throws Exception {
    CheckingSink sink = new CheckingSink();
    ShardBusOptions options = new ShardBusOptions().setShards(SHARDS).setRingCapacity(8192);
    ShardBus bus =
        ShardBus.start(Vertx.vertx(), options, sink)
            .toCompletionStage()
            .toCompletableFuture()
            .get(20, TimeUnit.SECONDS);
    int number = 0;
    while (number < WARM_UP) { // all classes are there when memory is not
      bus.ingest(RawEvent.of(Buffer.buffer(8).appendLong(number++)));
    }
    bus.flush().toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
    AtomicLong errors = new AtomicLong();
    Thread[] hungry = new Thread[2];
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(6);
    for (int i = 0; i < hungry.length; i++) {
      hungry[i] = new Thread(() -> eat(end, errors));
      hungry[i].start();
    }
    while (System.nanoTime() < end && number < EVENTS) {
      try {
        Buffer payload = Buffer.buffer(8).appendLong(number);
        number++; // whatever becomes of it
        bus.ingest(RawEvent.of(payload));
        if (number % 64 == 0) {
          LockSupport.parkNanos(1_000);
        }
      } catch (OutOfMemoryError e) {
        errors.incrementAndGet();
      }
    }
    for (Thread thread : hungry) {
      thread.join();
    }
    System.out.println(verdict(bus, sink, errors.get()));
    Runtime.getRuntime().halt(0);
  }

  private static void eat(long end, AtomicLong errors) {
    Object[] food = new Object[10_000];
    int eaten = 0;
    int bite = 1 << 20;
    while (System.nanoTime() < end) {
      try {
        food[eaten] = new byte[bite];
        eaten = (eaten + 1) % food.length;
      } catch (OutOfMemoryError e) {
        errors.incrementAndGet();
        if (bite > 64) {
          bite /= 4;
        } else {
          Arrays.fill(food, null);
          bite = 1 << 20;
          LockSupport.parkNanos(2_000_000);
        }
      }
    }
  }

  private static String verdict(ShardBus bus, CheckingSink sink, long errors) throws Exception {
    String flush = "";
    try {
      bus.flush().toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      flush = "flush does not end; ";
    }
    ShardAccounting account = bus.stats().total();
    boolean exact =
        account.pending() == 0
            && account.inFlight() == 0
            && account.accepted() == account.delivered()
            && account.delivered() == sink.deliveredEvents();
    String figures = account + ", " + sink.deliveredEvents() + " seen, " + errors + " errors";
    return flush.isEmpty()
            && exact
            && sink.fault.equals(NO_FAULT)
            && errors > 0
            && account.accepted() > 0
        ? "ok: " + figures
        : "WRONG: " + flush + "faults: " + sink.fault + "; " + figures;
  }
}
