package io.shardbus.sink.eventbus;

import io.shardbus.event.Batch;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;

/** A batch on its way to a member. */
final class Dispatch {

  final Batch batch;
  final Buffer body;
  final Promise<Void> promise = Promise.promise();

  /** Raised with every attempt, so that a late answer of an earlier member does not count. */
  int attempt;

  Dispatch(Batch batch) {
    this.batch = batch;
    this.body = BatchCodec.encode(batch);
  }
}
