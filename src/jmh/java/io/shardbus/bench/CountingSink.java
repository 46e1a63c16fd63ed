package io.shardbus.bench;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.vertx.core.Future;

/** Looks at every event, and counts events and bytes by shard. */
final class CountingSink implements Sink {

  private final Counts counts;

  /** For the shards from 0 on. */
  CountingSink(int shards) {
    counts = new Counts(shards);
  }

  Counts counts() {
    return counts;
  }

  @Override
  public String name() {
    return "counting";
  }

  @Override
  public Future<Void> open(SinkContext context) {
    return Future.succeededFuture();
  }

  @Override
  public Future<Void> write(Batch batch) {
    long bytes = 0;
    for (ShardEvent event : batch.events()) {
      bytes += event.payload().length();
    }
    counts.add(batch.shard(), batch.size(), bytes);
    return Future.succeededFuture();
  }

  @Override
  public Future<Void> close() {
    return Future.succeededFuture();
  }
}
