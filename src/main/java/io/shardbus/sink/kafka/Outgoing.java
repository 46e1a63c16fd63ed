package io.shardbus.sink.kafka;

import io.shardbus.event.Batch;
import org.jspecify.annotations.Nullable;

/**
 * An event on its way to a partition.
 *
 * @param batch the batch that it is of
 * @param index its place there
 * @param key its key in UTF-8; null if it has none
 * @param tally learns the fate of the event
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares them
record Outgoing(Batch batch, int index, byte @Nullable [] key, WriteTally tally) {

  /** Of a record without its payload; roughly. */
  private static final int RECORD_BYTES = 200;

  int bytes() {
    return batch.events().get(index).payload().length() + RECORD_BYTES;
  }
}
