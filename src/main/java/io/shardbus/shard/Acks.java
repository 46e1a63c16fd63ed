package io.shardbus.shard;

import io.shardbus.event.Outcome;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import org.jspecify.annotations.Nullable;

/**
 * Calls acknowledgements, which are code of the callers. If one throws, even an {@link Error}, the
 * shard goes on.
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
