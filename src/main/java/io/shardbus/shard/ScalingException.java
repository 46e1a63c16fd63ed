package io.shardbus.shard;

/** A change of the shards cannot be made now. Nothing was changed. */
public final class ScalingException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** Why it cannot be made. */
  public enum Reason {
    /** The policy contradicts itself. */
    INVALID_POLICY,
    /** The number of shards is fixed: no policy was given. */
    SCALING_DISABLED,
    /** There would be more shards than the policy, or the range of ids, allows. */
    AT_MAX_SHARDS,
    /** There would be fewer active shards than the policy allows. */
    AT_MIN_SHARDS,
    /** The last change was too recent. */
    IN_COOLDOWN,
    /** There is no shard with that id. */
    UNKNOWN_SHARD,
    /** The shard's state does not allow it. */
    ILLEGAL_STATE
  }

  private final Reason reason;

  /**
   * @param reason why it cannot be made
   * @param message the same in words, with the numbers
   */
  public ScalingException(Reason reason, String message) {
    super(message, null, false, false);
    this.reason = reason;
  }

  /** {@return why it cannot be made} */
  public Reason reason() {
    return reason;
  }
}
