package io.shardbus.bench;

import java.util.ArrayList;
import java.util.List;

/** Threads that push events into a pipeline as fast as it takes them, until they are closed. */
final class Producers {

  private static final long PATIENCE_NANOS = 30_000_000_000L;

  private final Pipeline pipeline;
  private final List<Thread> threads = new ArrayList<>();
  private final Counts accepted;
  private final int payloadBytes;
  private volatile boolean stopping;

  Producers(Pipeline pipeline, int count, int payloadBytes) {
    this.pipeline = pipeline;
    this.payloadBytes = payloadBytes;
    accepted = new Counts(count);
    Payload[] pool = Payload.pool(payloadBytes);
    for (int i = 0; i < count; i++) {
      int producer = i;
      Thread thread = new Thread(() -> run(producer, pool), "producer-" + producer);
      thread.setDaemon(true);
      threads.add(thread);
    }
    threads.forEach(Thread::start);
  }

  private void run(int producer, Payload[] pool) {
    Inlet inlet = pipeline.inlet(producer);
    int next = producer;
    while (!stopping) {
      int taken = inlet.push(pool[next++ & (pool.length - 1)]);
      accepted.add(producer, taken, 0);
    }
  }

  /** Ends the threads, waits for what they put in, and checks that all of it arrived. */
  void close() throws InterruptedException {
    stopping = true;
    for (Thread thread : threads) {
      thread.join();
    }
    long events = accepted.events();
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    while (pipeline.consumed() < events && System.nanoTime() < deadline) {
      Thread.sleep(1);
    }
    if (pipeline.consumed() != events || pipeline.bytes() != events * payloadBytes) {
      throw new IllegalStateException(
          events
              + " events were accepted, "
              + pipeline.consumed()
              + " with "
              + pipeline.bytes()
              + " bytes arrived");
    }
  }
}
