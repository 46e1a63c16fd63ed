package io.shardbus.bench;

import io.shardbus.ShardBus;
import io.shardbus.delivery.BatchOptions;
import io.shardbus.event.Batch;
import io.shardbus.event.RawEvent;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.HdrHistogram.Histogram;

/** How long an event takes from ingest() to the sink while the bus does nothing else. */
final class WakeUpStudy {

  private static final int BYTES = 128;
  private static final int WARM_UP = 20_000;
  private static final int SETTLING = 20;

  private WakeUpStudy() {}

  public static void main(String[] arguments) throws Exception {
    long nanos = Study.nanos(arguments) * 2;
    Table table =
        new Table(
            "From ingest() to the sink of an idle bus, in us",
            "batch options",
            "p50",
            "p99",
            "p99.9",
            "max",
            "events");
    warmUp();
    measure(table, "default", new BatchOptions(), nanos);
    measure(table, "low latency", BatchOptions.lowLatency(), nanos);
    System.out.println(table);
  }

  /** Without pauses, so that the code is compiled before it is measured. */
  private static void warmUp() throws InterruptedException {
    Vertx vertx = Vertx.vertx();
    ArrivalSink sink = new ArrivalSink();
    ShardBus bus = start(vertx, BatchOptions.lowLatency(), sink);
    RawEvent event = RawEvent.of(new byte[BYTES]);
    for (int i = 0; i < WARM_UP; i++) {
      once(bus, event, sink);
    }
    bus.close().await();
    vertx.close().await();
  }

  private static ShardBus start(Vertx vertx, BatchOptions options, ArrivalSink sink) {
    return ShardBus.start(vertx, WholeBus.options(2).setBatch(options), sink).await();
  }

  private static void measure(Table table, String name, BatchOptions options, long nanos)
      throws InterruptedException {
    Vertx vertx = Vertx.vertx();
    ArrivalSink sink = new ArrivalSink();
    ShardBus bus = start(vertx, options, sink);
    // Rarer than an event within the longest delay: else a batch waits for more.
    long pause = options.getMaxDelay().toMillis() * 5 / 2;
    RawEvent event = RawEvent.of(new byte[BYTES]);
    Histogram histogram = new Histogram(3);
    for (int i = 0; i < SETTLING; i++) {
      Thread.sleep(pause);
      once(bus, event, sink);
    }
    long end = System.nanoTime() + nanos;
    while (System.nanoTime() < end) {
      Thread.sleep(pause);
      histogram.recordValue(once(bus, event, sink));
    }
    bus.close().await();
    vertx.close().await();
    table.row(
        name,
        Percentiles.of(histogram, 50),
        Percentiles.of(histogram, 99),
        Percentiles.of(histogram, 99.9),
        Percentiles.max(histogram),
        "" + histogram.getTotalCount());
  }

  private static long once(ShardBus bus, RawEvent event, ArrivalSink sink)
      throws InterruptedException {
    long start = System.nanoTime();
    bus.ingest(event);
    return sink.arrivals.take() - start;
  }

  private static final class ArrivalSink implements Sink {

    final BlockingQueue<Long> arrivals = new ArrayBlockingQueue<>(1);

    @Override
    public String name() {
      return "arrival";
    }

    @Override
    public Future<Void> open(SinkContext context) {
      return Future.succeededFuture();
    }

    @Override
    public Future<Void> write(Batch batch) {
      arrivals.add(System.nanoTime());
      return Future.succeededFuture();
    }

    @Override
    public Future<Void> close() {
      return Future.succeededFuture();
    }
  }
}
