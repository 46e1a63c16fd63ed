package io.shardbus;

import io.shardbus.delivery.NoContext;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.IdWindow;
import io.shardbus.shard.ShardManager;
import io.shardbus.sink.EventFilter;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.StoredEvent;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads the ids of the last window back from the sink, so that a bus knows repeats of events that
 * it took before it was started again. Until it ends, events with an id are refused. If the sink
 * cannot be read, it tries again.
 */
final class IdRecall {

  private static final Logger LOG = LoggerFactory.getLogger(IdRecall.class);
  private static final long PAUSE_MILLIS = 1_000;

  private final Vertx vertx;
  private final ShardManager manager;
  private final IdWindow window;
  private final ReplayableSink sink;
  private final long begun = nanosSinceEpoch();
  private final EventQuery query;
  private final Promise<Void> done = Promise.promise();
  private long recalled;
  private boolean failed;

  /** Whether the page has an event of an earlier run: further ones may follow. */
  private volatile boolean sawEarlierRun;

  private volatile boolean sawThisRun;

  private IdRecall(
      Vertx vertx, ShardManager manager, IdWindow window, Duration length, ReplayableSink sink) {
    this.vertx = vertx;
    this.manager = manager;
    this.window = window;
    this.sink = sink;
    query =
        EventQuery.of(null, EventQuery.MAX_LIMIT)
            .withSince(begun - length.toNanos())
            .withFilter(new WithId());
  }

  /** Refuses events with an id from now on, if the sink keeps ids. */
  static Supplier<Future<Void>> prepare(
      Vertx vertx, ShardManager manager, IdWindow window, Duration length, Object sink) {
    if (!(sink instanceof ReplayableSink log) || !log.recallsIds()) {
      return Future::succeededFuture;
    }
    window.recalling(true);
    return () -> new IdRecall(vertx, manager, window, length, log).begin();
  }

  private static long nanosSinceEpoch() {
    return TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis());
  }

  private final class WithId implements EventFilter {

    @Override
    public boolean test(ShardEvent event) {
      // An earlier run may have stamped events with a clock that was ahead.
      if (event.timestamp() >= begun && event.timestamp() <= manager.nanoTime()) {
        sawThisRun = true;
      } else {
        sawEarlierRun = true;
      }
      return event.id() != null;
    }

    @Override
    public boolean needsId() {
      return true;
    }
  }

  private Future<Void> begin() {
    read(null);
    return done.future();
  }

  private void read(@Nullable String cursor) {
    if (!manager.isClosed()) {
      sawEarlierRun = false;
      sawThisRun = false;
      NoContext.async(() -> sink.read(query.withCursor(cursor)))
          .map(this::recall)
          .onFailure(e -> tryAgain(cursor, e));
    }
  }

  private @Nullable Void recall(EventPage page) {
    long now = nanosSinceEpoch();
    for (StoredEvent stored : page.events()) {
      long age = Math.max(0, now - stored.event().timestamp());
      window.recall(stored.event(), Duration.ofNanos(age));
      recalled++;
    }
    if (page.more() && (sawEarlierRun || !sawThisRun)) {
      read(page.cursor());
      return null;
    }
    window.recalling(false);
    done.tryComplete();
    if (recalled > 0) {
      LOG.info(
          "recalled "
              + recalled
              + " ids of events in "
              + TimeUnit.NANOSECONDS.toMillis(nanosSinceEpoch() - begun)
              + " ms");
    }
    return null;
  }

  private void tryAgain(@Nullable String cursor, Throwable failure) {
    if (!failed) {
      failed = true;
      LOG.warn(
          "sink "
              + sink.name()
              + ": cannot recall the ids of events, and refuses events with an id until it can: "
              + failure.toString());
    }
    vertx.setTimer(PAUSE_MILLIS, timer -> read(cursor));
  }
}
