package io.shardbus.sink;

import io.shardbus.event.Batch;
import io.shardbus.event.IdStore;
import io.vertx.core.Future;
import org.jspecify.annotations.Nullable;

/**
 * Where batches go. The bus calls {@link #open} once, then {@link #write} for many shards at once,
 * each on the context of its shard, then {@link #close} once. One shard has one write at a time. If
 * a write takes longer than {@code delivery.timeout}, the bus ignores its answer and writes the
 * same events again. None of the methods may block: work that blocks needs a thread of the sink.
 */
public interface Sink {

  /** {@return the name by which the sink was chosen, for logs and metrics: short, in lower case} */
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
   * Writes one batch. After a timeout or a failure the bus may repeat a write with the same events
   * and sequences. {@link Batch#deduplicationId} is then the same: use it if the backend can
   * recognise repetitions.
   *
   * <p>Order per key: if an event fails for a reason that may pass, the sink must not confirm a
   * later event of the same key in the batch, even if the backend has taken it. {@link
   * SinkException#partial(Batch, java.util.BitSet, Throwable)} fails such events too, and the bus
   * writes them again behind the one that failed.
   *
   * @param batch the events; the list does not change afterwards
   * @return completes when the sink holds the events as safely as it promises; fails with a {@link
   *     SinkException}, any other failure counts as transient
   */
  Future<Void> write(Batch batch);

  /**
   * The store behind the sink, if it stores an event with an id once, although several buses write
   * it. Then publishers that leave a silent bus send what was under way to another one. Does not
   * block.
   *
   * @return null if the store recognises no ids, or those of one bus only
   */
  default @Nullable IdStore idStore() {
    return null;
  }

  /**
   * Closes the sink after the current writes. Idempotent.
   *
   * @return completes when everything is released
   */
  Future<Void> close();
}
