package io.shardbus.app.soak;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.BatchIngestResult;
import io.shardbus.event.IngestResult;
import io.shardbus.event.RawEvent;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.ReplyException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;

/** One thread that hands events to a bus and remembers what it was told. */
final class SoakProducer extends Thread {

  /** The way in. */
  enum Kind {
    DIRECT(1.0),
    BATCH(1.0),
    EVENT_BUS(0.1),
    AWAIT(0.2);

    /** Share of a round's events, relative to the others. */
    final double share;

    Kind(double share) {
      this.share = share;
    }
  }

  private static final int MOST_IN_FLIGHT = 256;
  private static final int MOST_IN_BATCH = 300;
  private static final long PAUSE_WHEN_REFUSED_NANOS = 400_000;

  private final int id;
  private final Kind kind;
  private final long events;
  private final Vertx vertx;
  private final ShardBus bus;
  private final Random random;
  private final Violations violations;
  private final Semaphore inFlight = new Semaphore(MOST_IN_FLIGHT);
  private final BitSet accepted = new BitSet();
  private long acceptedCount;

  SoakProducer(
      int id, Kind kind, long events, Vertx vertx, ShardBus bus, long seed, Violations violations) {
    super("soak-" + kind + "-" + id);
    this.id = id;
    this.kind = kind;
    this.events = events;
    this.vertx = vertx;
    this.bus = bus;
    this.random = new Random(seed + id);
    this.violations = violations;
  }

  int id() {
    return id;
  }

  /** Events handed to the bus. */
  long events() {
    return events;
  }

  /** Events the bus said it took. To be asked after the thread has ended. */
  synchronized long acceptedCount() {
    return acceptedCount;
  }

  /** Whether the fate of each event is known, not only their number. */
  boolean knowsEach() {
    return kind != Kind.BATCH;
  }

  /** Whether the bus said it took an event. To be asked after the thread has ended. */
  synchronized boolean accepted(long place) {
    return accepted.get((int) place);
  }

  /**
   * An event that waits for room may be overtaken by one for another shard, and then follow it when
   * its slot moves there; what has the same key does not overtake.
   */
  boolean orderedByKeyOnly() {
    return kind == Kind.AWAIT;
  }

  @Override
  public void run() {
    try {
      switch (kind) {
        case DIRECT -> direct();
        case BATCH -> batches();
        case EVENT_BUS -> overTheEventBus();
        case AWAIT -> waiting();
      }
      inFlight.acquire(MOST_IN_FLIGHT);
    } catch (InterruptedException | RuntimeException e) {
      violations.add(getName() + " failed: " + e);
    }
  }

  private void direct() {
    for (long place = 0; place < events; place++) {
      IngestResult result = bus.ingest(SoakEvent.spread(SoakEvent.code(id, place)));
      if (result.accepted()) {
        tookIt(place);
      } else {
        LockSupport.parkNanos(PAUSE_WHEN_REFUSED_NANOS);
      }
    }
  }

  private void batches() {
    long place = 0;
    while (place < events) {
      int size = (int) Math.min(events - place, 1 + random.nextInt(MOST_IN_BATCH));
      List<RawEvent> batch = new ArrayList<>(size);
      for (int i = 0; i < size; i++) {
        batch.add(SoakEvent.spread(SoakEvent.code(id, place++)));
      }
      BatchIngestResult result = bus.ingestBatch(batch);
      violations.check(
          result.accepted() + result.dropped() + result.unrouted() == size,
          "a batch of %d came to %s",
          size,
          result);
      synchronized (this) {
        acceptedCount += result.accepted();
      }
      if (result.accepted() < size) {
        LockSupport.parkNanos(PAUSE_WHEN_REFUSED_NANOS);
      }
    }
  }

  private void overTheEventBus() throws InterruptedException {
    for (long next = 0; next < events; next++) {
      long place = next;
      inFlight.acquire();
      vertx
          .eventBus()
          .request(ShardBusOptions.DEFAULT_ADDRESS, SoakEvent.spread(SoakEvent.code(id, place)))
          .onComplete(
              reply -> {
                if (reply.succeeded()) {
                  tookIt(place);
                } else {
                  boolean refused =
                      reply.cause() instanceof ReplyException e
                          && (e.failureCode() == 429 || e.failureCode() == 503);
                  violations.check(refused, "the event bus said %s", reply.cause());
                }
                inFlight.release();
              });
    }
  }

  private void waiting() throws InterruptedException {
    for (long next = 0; next < events; next++) {
      long place = next;
      inFlight.acquire();
      bus.ingestAwait(SoakEvent.keyed(SoakEvent.code(id, place)))
          .onComplete(
              done -> {
                violations.check(
                    done.succeeded() && done.result().accepted(), "ingestAwait came to %s", done);
                tookIt(place);
                inFlight.release();
              });
    }
  }

  private synchronized void tookIt(long place) {
    accepted.set((int) place);
    acceptedCount++;
  }
}
