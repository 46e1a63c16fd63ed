package io.shardbus.event;

/**
 * Says why an event will not be delivered. The event was handed to {@code ShardBus.deliver}, {@code
 * ShardBus.ingestAwait}, {@code ShardBus.writeStream} or an {@code EventBusPublisher}. Has no stack
 * trace.
 */
public final class NotDeliveredException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final Outcome reason;

  /**
   * @param reason why it will not be delivered; not {@link Outcome#ACCEPTED}
   */
  public NotDeliveredException(Outcome reason) {
    super("event not delivered: " + reason.word() + ": " + reason.meaning(), null, false, false);
    this.reason = reason;
  }

  /**
   * Why it will not be delivered.
   *
   * @return EVICTED, DEAD_LETTERED and UNKNOWN for an event that was or may have been accepted; any
   *     other for one that was refused
   */
  public Outcome reason() {
    return reason;
  }
}
