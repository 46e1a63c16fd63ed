package io.shardbus.bench;

import io.shardbus.ShardBus;
import io.shardbus.event.RawEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/**
 * How long ingest() takes at a fixed rate, half of what the bus can do. A call that is late because
 * the one before it was slow counts from the time at which it was due.
 */
final class LatencyStudy {

  private static final int BYTES = 128;
  private static final int SHARDS = 2;
  private static final double P99_BELOW_MICROS = 1;

  /** As many as leave the shards a core, so that it is not the scheduler that is measured. */
  private static final int PRODUCERS =
      Math.max(1, Math.min(4, Runtime.getRuntime().availableProcessors() - 1));

  private LatencyStudy() {}

  public static void main(String[] arguments) throws Exception {
    long nanos = Study.nanos(arguments);
    WholeBus pipeline = new WholeBus(SHARDS, Feed.SINGLE);
    double most = mostPerSecond(pipeline, nanos);
    pace(pipeline.bus(), most / 2, nanos / 2);
    List<Caller> callers = pace(pipeline.bus(), most / 2, nanos);
    pipeline.close();
    Histogram calls = new Histogram(3);
    Histogram due = new Histogram(3);
    for (Caller caller : callers) {
      calls.add(caller.calls);
      due.add(caller.due);
    }
    Table table =
        new Table(
            String.format(
                Locale.ROOT,
                "Latency of ingest() in us: %d producers, %d shards, %d B, %.2f million events/s,"
                    + " half of the most",
                PRODUCERS,
                SHARDS,
                BYTES,
                most / 2 / 1e6),
            "from",
            "p50",
            "p99",
            "p99.9",
            "max",
            "calls",
            "target");
    row(table, "the call", calls);
    row(table, "when it was due", due);
    System.out.println(table);
  }

  private static void row(Table table, String from, Histogram histogram) {
    table.row(
        from,
        Percentiles.of(histogram, 50),
        Percentiles.of(histogram, 99),
        Percentiles.of(histogram, 99.9),
        Percentiles.max(histogram),
        "" + histogram.getTotalCount(),
        Target.below(P99_BELOW_MICROS, "us at p99", histogram.getValueAtPercentile(99) / 1e3));
  }

  private static double mostPerSecond(WholeBus pipeline, long nanos) throws InterruptedException {
    Producers producers = new Producers(pipeline, PRODUCERS, BYTES);
    Rate.perSecond(pipeline::consumed, nanos);
    double rate = Rate.perSecond(pipeline::consumed, nanos);
    producers.close();
    return rate;
  }

  private static List<Caller> pace(ShardBus bus, double perSecond, long nanos)
      throws InterruptedException {
    Payload[] pool = Payload.pool(BYTES);
    List<Caller> callers = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < PRODUCERS; i++) {
      Caller caller = new Caller(bus, pool, PRODUCERS * 1e9 / perSecond, nanos);
      callers.add(caller);
      threads.add(new Thread(caller, "caller-" + i));
    }
    threads.forEach(Thread::start);
    for (Thread thread : threads) {
      thread.join();
    }
    return callers;
  }

  private static final class Caller implements Runnable {

    final Histogram calls = new Histogram(3);
    final Histogram due = new Histogram(3);
    private final ShardBus bus;
    private final Payload[] pool;
    private final double interval;
    private final long nanos;

    Caller(ShardBus bus, Payload[] pool, double interval, long nanos) {
      this.bus = bus;
      this.pool = pool;
      this.interval = interval;
      this.nanos = nanos;
    }

    @Override
    public void run() {
      long start = System.nanoTime();
      for (int i = 0; i * interval < nanos; i++) {
        RawEvent event = RawEvent.of(pool[i & (pool.length - 1)].buffer());
        long dueAt = start + (long) (i * interval);
        long calledAt = System.nanoTime();
        while (calledAt < dueAt) {
          Thread.onSpinWait();
          calledAt = System.nanoTime();
        }
        while (!bus.ingest(event).accepted()) {
          Thread.onSpinWait();
        }
        long done = System.nanoTime();
        calls.recordValue(done - calledAt);
        due.recordValue(done - dueAt);
      }
    }
  }
}
