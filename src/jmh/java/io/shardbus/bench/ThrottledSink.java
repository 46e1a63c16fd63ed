package io.shardbus.bench;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Recorder;

/**
 * Takes only so many events a second from each shard: it holds back the answers of the sink behind
 * it. Records how long after they were due events were confirmed.
 */
final class ThrottledSink implements Sink {

  /** A timer that was late is made up for, up to this. */
  private static final long SLACK_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  /** A shard that writes again within this time did not rest. */
  private static final long NO_REST_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  private final Sink behind;
  private final double nanosAnEvent;
  private final Recorder delays;
  private final Map<Integer, Long> freeAt = new ConcurrentHashMap<>();
  private final Map<Integer, Long> answeredAt = new ConcurrentHashMap<>();
  private Vertx vertx;

  /**
   * @param eventsPerSecond what a shard can have written
   */
  ThrottledSink(Sink behind, double eventsPerSecond, Recorder delays) {
    this.behind = behind;
    this.delays = delays;
    nanosAnEvent = 1e9 / eventsPerSecond;
  }

  @Override
  public String name() {
    return behind.name();
  }

  @Override
  public Future<Void> open(SinkContext context) {
    vertx = context.vertx();
    return behind.open(context);
  }

  /**
   * One write of a shard at a time, so the shard's entry has one writer. Time in which a shard
   * rested is no credit: else it would seem to drain more under a low load.
   */
  @Override
  public Future<Void> write(Batch batch) {
    long now = System.nanoTime();
    Long answered = answeredAt.get(batch.shard());
    boolean rested = answered == null || now - answered > NO_REST_NANOS;
    long begin = rested ? now : Math.max(now - SLACK_NANOS, freeAt.get(batch.shard()));
    long end = begin + Math.round(batch.size() * nanosAnEvent);
    freeAt.put(batch.shard(), end);
    return Future.all(behind.write(batch), until(end))
        .onSuccess(written -> record(batch))
        .onSuccess(written -> answeredAt.put(batch.shard(), System.nanoTime()))
        .mapEmpty();
  }

  private Future<Void> until(long end) {
    long millis = Math.round((end - System.nanoTime()) / 1e6);
    if (millis < 1) {
      return Future.succeededFuture();
    }
    Promise<Void> over = Promise.promise();
    vertx.setTimer(millis, id -> over.complete());
    return over.future();
  }

  private void record(Batch batch) {
    long now = System.nanoTime();
    for (ShardEvent event : batch.events()) {
      delays.recordValue(Math.max(0, now - LoadProducer.dueAt(event.payload())));
    }
  }

  @Override
  public Future<Void> close() {
    return behind.close();
  }
}
