package io.shardbus.shard;

import io.shardbus.event.Outcome;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells acks, which are the code of callers: what one of them throws, be it an {@link Error}, must
 * not stop a shard.
 */
final class Acks {

  private static final Logger LOG = LoggerFactory.getLogger(Acks.class);

  private Acks() {}

  /**
   * @param failure why the events will not be delivered; null if they were
   */
  static void tell(@Nullable DeliveryAck ack, int events, @Nullable Outcome failure) {
    if (ack == null || events == 0) {
      return;
    }
    try {
      if (failure == null) {
        ack.delivered(events);
      } else {
        ack.failed(failure, events);
      }
    } catch (Throwable e) {
      SafeLog.error(LOG, "a delivery acknowledgement failed", e);
    }
  }

  static void tellEvicted(DeliveryAck ack) {
    tell(ack, 1, Outcome.EVICTED);
  }
}
