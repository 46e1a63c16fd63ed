package io.shardbus.sink;

import io.shardbus.event.Batch;
import io.vertx.core.Future;

/**
 * Where batches go. The bus calls {@link #open} once, then {@link #write} from the contexts of many
 * shards at once, then {@link #close} once. For one shard it writes when the write before has
 * completed, or has taken longer than {@code delivery.timeout}: then the same events come again,
 * while what came of the first attempt is no longer asked. None of the methods may block: work that
 * blocks belongs on a thread of the sink's own.
 */
public interface Sink {

  /**
   * The name under which the sink was chosen, for logs and metrics.
   *
   * @return a short lower-case name
   */
  String name();

  /**
   * Prepares the sink.
   *
   * @param context what the bus lends to the sink
   * @return completes when batches can be written; fails if the sink cannot work, with a message
   *     for the operator
   */
  Future<Void> open(SinkContext context);

  /**
   * Writes one batch. A write that timed out or failed may be repeated with the same events and
   * sequences: a sink recognises them by {@link Batch#deduplicationId} where its backend can.
   *
   * <p>Order per key: if an event fails for a reason that may pass, no later event of the same key
   * in the batch may be confirmed. A sink whose backend may have taken such an event all the same
   * fails it too, with {@link SinkException#partial(Batch, java.util.BitSet, Throwable)}, so that
   * it is written again behind the one that failed.
   *
   * @param batch the events; the list does not change afterwards
   * @return completes when the sink holds the events as safely as it promises; fails with a {@link
   *     SinkException}, any other failure counts as transient
   */
  Future<Void> write(Batch batch);

  /**
   * Ends the sink after the writes under way. Idempotent.
   *
   * @return completes when everything is released
   */
  Future<Void> close();
}
