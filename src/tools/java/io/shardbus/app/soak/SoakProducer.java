package io.shardbus.app.soak;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.app.soak.Violations.Kind;
import io.shardbus.event.BatchIngestResult;
import io.shardbus.event.IngestResult;
import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/** One thread that hands events to a bus until it is closed, and remembers what it was told. */
final class SoakProducer extends Thread {

  /** The way in. */
  enum Way {
    DIRECT(1.0),
    BATCH(1.0),
    EVENT_BUS(0.1),
    AWAIT(0.2),
    DELIVER(0.1);

    /** Share of a round's events, relative to the others. */
    final double share;

    Way(double share) {
      this.share = share;
    }
  }

  private static final int MOST_IN_FLIGHT = 256;
  private static final int MOST_IN_BATCH = 300;
  private static final long PAUSE_WHEN_REFUSED_NANOS = 400_000;
  private static final long PATIENCE_SECONDS = 20;

  private final int id;
  private final Way way;
  private final long events;
  private final boolean keyed;
  private final Vertx vertx;
  private final ShardBus bus;
  private final SoakEnd end;
  private final double share;
  private final SoakLoad load;
  private final SoakAnswers answers;
  private final Violations violations;
  private final Random random;
  private final Semaphore inFlight = new Semaphore(MOST_IN_FLIGHT);
  private final SoakFates fates = new SoakFates();
  private volatile long offered;
  private volatile boolean closed;

  /**
   * @param events how many to offer, if the bus is not closed before
   * @param share the share of them after which it closes the bus; above 1 for never
   * @param load tells it when to pause
   */
  SoakProducer(
      int id,
      Way way,
      long events,
      Vertx vertx,
      ShardBus bus,
      SoakEnd end,
      double share,
      SoakLoad load,
      long seed,
      SoakAnswers answers,
      Violations violations) {
    super("soak-" + way + "-" + id);
    this.id = id;
    this.way = way;
    this.events = events;
    this.vertx = vertx;
    this.bus = bus;
    this.end = end;
    this.share = share;
    this.load = load;
    this.answers = answers;
    this.violations = violations;
    random = new Random(seed + id);
    keyed = way == Way.AWAIT || id % 2 == 1;
  }

  int id() {
    return id;
  }

  /** Whether its events have keys: then only those of one key are in order. */
  boolean keyed() {
    return keyed;
  }

  /** Events handed to the bus. */
  long offered() {
    return offered;
  }

  /** The answers of the bus to them. */
  SoakFates fates() {
    return fates;
  }

  /** Whether the fate of each event is known, not only their number. */
  boolean knowsEach() {
    return way != Way.BATCH;
  }

  @Override
  public void run() {
    try {
      while (offered < events && !closed) {
        if (offered >= share * events) {
          end.begin();
        }
        load.pauseIfLow();
        push();
      }
      inFlight.tryAcquire(MOST_IN_FLIGHT, PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException | RuntimeException e) {
      violations.check(false, Kind.OTHER, "%s failed: %s", getName(), e);
    }
  }

  private void push() throws InterruptedException {
    switch (way) {
      case DIRECT -> direct();
      case BATCH -> batch();
      case EVENT_BUS ->
          withRoom(
              place ->
                  vertx
                      .eventBus()
                      .<Object>request(ShardBusOptions.DEFAULT_ADDRESS, event(place))
                      .onComplete(reply -> answered(place, reply.succeeded(), reply.cause())));
      case AWAIT ->
          withRoom(place -> follow(place, answers.watch("await", bus.ingestAwait(event(place)))));
      case DELIVER ->
          withRoom(place -> follow(place, answers.watch("deliver", bus.deliver(event(place)))));
    }
  }

  private RawEvent event(long place) {
    long code = SoakEvent.code(id, place);
    return keyed ? SoakEvent.keyed(code) : SoakEvent.spread(code);
  }

  private void direct() {
    long place = offered;
    IngestResult result = bus.ingest(event(place));
    offered = place + 1;
    if (result.accepted()) {
      fates.took(place);
      end.accepted();
    } else {
      closed = result.outcome() == Outcome.CLOSED;
      LockSupport.parkNanos(PAUSE_WHEN_REFUSED_NANOS);
    }
  }

  private void batch() {
    long first = offered;
    int size = (int) Math.min(events - first, 1 + random.nextInt(MOST_IN_BATCH));
    List<RawEvent> batch = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      batch.add(event(first + i));
    }
    BatchIngestResult result = bus.ingestBatch(batch);
    offered = first + size;
    violations.check(
        result.accepted() + result.dropped() + result.unrouted() == size,
        Kind.OTHER,
        "a batch of %d came to %s",
        size,
        result);
    fates.tookSome(result.accepted());
    if (result.accepted() > 0) {
      end.accepted();
    }
    if (result.accepted() < size) {
      closed = bus.shards().isClosed();
      LockSupport.parkNanos(PAUSE_WHEN_REFUSED_NANOS);
    }
  }

  private void withRoom(Consumer<Long> push) throws InterruptedException {
    if (inFlight.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      long place = offered;
      offered = place + 1;
      push.accept(place);
    } else {
      closed = true; // a missing answer is reported at the end of the round
    }
  }

  private void follow(long place, Future<IngestResult> answer) {
    answer.onComplete(result -> answered(place, result.succeeded(), result.cause()));
  }

  private void answered(long place, boolean succeeded, Throwable failure) {
    if (succeeded || (failure instanceof NotDeliveredException e && wasTaken(e.reason()))) {
      fates.took(place);
    } else {
      notTaken(place, failure);
      closed |= end.begun();
    }
    inFlight.release();
  }

  private static boolean wasTaken(Outcome reason) {
    return reason == Outcome.EVICTED
        || reason == Outcome.DEAD_LETTERED
        || reason == Outcome.UNKNOWN;
  }

  private void notTaken(long place, Throwable failure) {
    if (failure instanceof ReplyException none
        && none.failureType() != ReplyFailure.RECIPIENT_FAILURE) {
      violations.check(end.begun(), Kind.UNANSWERED, "the event bus said %s", none);
      fates.unknown(place);
      return;
    }
    boolean refused =
        failure instanceof ReplyException reply
            ? reply.failureCode() == 429 || reply.failureCode() == 503
            : failure instanceof NotDeliveredException e && (way == Way.DELIVER || closing(e));
    violations.check(refused, Kind.OTHER, "%s came to %s", way, failure);
  }

  private boolean closing(NotDeliveredException e) {
    return e.reason() == Outcome.CLOSED && end.begun();
  }
}
