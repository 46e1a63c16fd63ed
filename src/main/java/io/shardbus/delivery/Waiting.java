package io.shardbus.delivery;

import io.shardbus.event.IngestResult;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.DeliveryAck;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An event in the {@link WaitingRoom}, and its callbacks. Two of them are never equal. What is not
 * final is guarded by the monitor of the room.
 */
final class Waiting {

  final RawEvent event;
  final @Nullable DeliveryAck ack;
  final Consumer<IngestResult> then;
  final long deadline;
  final boolean ofStream;

  /** Set once it waits. */
  long arrival;

  /** Set once it does not wait any more. */
  @Nullable IngestResult result;

  Waiting(
      RawEvent event,
      @Nullable DeliveryAck ack,
      Consumer<IngestResult> then,
      long deadline,
      boolean ofStream) {
    this.event = event;
    this.ack = ack;
    this.then = then;
    this.deadline = deadline;
    this.ofStream = ofStream;
  }

  long deadline() {
    return deadline;
  }

  long arrival() {
    return arrival;
  }
}
