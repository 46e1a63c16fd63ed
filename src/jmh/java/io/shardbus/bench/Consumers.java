package io.shardbus.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/** One thread a ring that takes what is there. */
final class Consumers {

  /** Takes some events. */
  @FunctionalInterface
  interface Work {

    /** How many were taken; 0 if there are none. */
    int take();
  }

  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean stopping;

  Consumers(int count, IntFunction<Work> workOfRing) {
    for (int ring = 0; ring < count; ring++) {
      Work work = workOfRing.apply(ring);
      Thread thread = new Thread(() -> run(work), "consumer-" + ring);
      thread.setDaemon(true);
      threads.add(thread);
    }
    threads.forEach(Thread::start);
  }

  private void run(Work work) {
    Idle idle = new Idle();
    while (!stopping) {
      if (work.take() > 0) {
        idle.reset();
      } else {
        idle.pause();
      }
    }
  }

  void close() throws InterruptedException {
    stopping = true;
    for (Thread thread : threads) {
      thread.join();
    }
  }
}
