package io.shardbus.app.bench;

import io.shardbus.ShardBus;
import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.Histogram;

/** Threads that hand events to a bus as fast as it takes them, and time one call in 32. */
final class BenchProducers {

  private static final int PAYLOADS = 256;
  private static final int TIMED_MASK = 31;

  private final ShardBus bus;
  private final Buffer[] payloads;
  private final int batch;
  private final List<Thread> threads = new ArrayList<>();
  private final List<Histogram> histograms = new ArrayList<>();
  private final LongAdder accepted = new LongAdder();
  private volatile boolean timing;
  private volatile boolean stopping;

  BenchProducers(ShardBus bus, int producers, int bytes, int batch) {
    this.bus = bus;
    this.batch = batch;
    SplittableRandom random = new SplittableRandom(1);
    payloads = new Buffer[PAYLOADS];
    for (int i = 0; i < PAYLOADS; i++) {
      byte[] payload = new byte[bytes];
      random.nextBytes(payload);
      payloads[i] = Buffer.buffer(payload);
    }
    for (int i = 0; i < producers; i++) {
      Histogram histogram = new Histogram(3);
      histograms.add(histogram);
      Thread thread = new Thread(() -> run(histogram), "producer-" + i);
      threads.add(thread);
      thread.start();
    }
  }

  void startTiming() {
    timing = true;
  }

  /** Ends the threads. Returns how long the calls took, in nanoseconds. */
  Histogram stop() throws InterruptedException {
    stopping = true;
    Histogram all = new Histogram(3);
    for (int i = 0; i < threads.size(); i++) {
      threads.get(i).join();
      all.add(histograms.get(i));
    }
    return all;
  }

  /** Of all calls, also of untimed ones; valid once the threads have ended. */
  long accepted() {
    return accepted.sum();
  }

  @SuppressWarnings("ThreadPriorityCheck") // the shards need the processor
  private void run(Histogram histogram) {
    List<RawEvent> events = new ArrayList<>(batch);
    for (int call = 0; !stopping; call++) {
      events.clear();
      for (int i = 0; i < batch; i++) {
        events.add(RawEvent.of(payloads[(call + i) & (PAYLOADS - 1)]));
      }
      boolean timed = timing && (call & TIMED_MASK) == 0;
      long begun = timed ? System.nanoTime() : 0;
      int taken = handOver(events);
      if (timed) {
        histogram.recordValue(System.nanoTime() - begun);
      }
      accepted.add(taken);
      if (taken < batch) {
        Thread.yield();
      }
    }
  }

  private int handOver(List<RawEvent> events) {
    return batch == 1
        ? (bus.ingest(events.get(0)).accepted() ? 1 : 0)
        : bus.ingestBatch(events).accepted();
  }
}
