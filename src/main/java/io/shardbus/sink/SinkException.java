package io.shardbus.sink;

import io.shardbus.event.Batch;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Why a sink did not take a batch. The kind decides what the bus does next. */
public final class SinkException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** What can be done about a failure. */
  public enum Kind {
    /** Worth trying again: the whole batch is retried. */
    TRANSIENT,
    /**
     * It will never work. A batch of several events is halved, and each half written by itself,
     * until the events to blame stand alone: these are dead-lettered.
     */
    PERMANENT,
    /**
     * Some events were taken. The failed ones are retried or, if the cause is permanent,
     * dead-lettered.
     */
    PARTIAL
  }

  private final Kind kind;
  private final BitSet failed;

  private SinkException(
      Kind kind, @Nullable String message, @Nullable Throwable cause, BitSet failed) {
    super(message, cause, false, false);
    this.kind = kind;
    this.failed = failed;
  }

  /**
   * A failure that may pass.
   *
   * @param message what happened
   * @return the exception
   */
  public static SinkException transientFailure(String message) {
    return new SinkException(Kind.TRANSIENT, message, null, new BitSet());
  }

  /**
   * A failure that may pass.
   *
   * @param message what happened
   * @param cause the failure behind it
   * @return the exception
   */
  public static SinkException transientFailure(String message, Throwable cause) {
    return new SinkException(Kind.TRANSIENT, message, cause, new BitSet());
  }

  /**
   * A failure that will not pass.
   *
   * @param message what happened
   * @return the exception
   */
  public static SinkException permanentFailure(String message) {
    return new SinkException(Kind.PERMANENT, message, null, new BitSet());
  }

  /**
   * A failure that will not pass.
   *
   * @param message what happened
   * @param cause the failure behind it
   * @return the exception
   */
  public static SinkException permanentFailure(String message, Throwable cause) {
    return new SinkException(Kind.PERMANENT, message, cause, new BitSet());
  }

  /**
   * Some events of a batch were not taken. If the cause may pass, the bus writes the failed events
   * again, after the events that were taken. So a later event of the same key must fail too, even
   * if it was taken; otherwise its key loses its order. {@link #partial(Batch, BitSet, Throwable)}
   * adds these events. If the cause is permanent, only the events to blame may fail.
   *
   * @param failed the indexes, in the batch's list, of the events that failed; at least one
   * @param cause why they failed. A {@link SinkException} of kind PERMANENT means that they will
   *     never be taken
   * @return the exception
   */
  public static SinkException partial(BitSet failed, Throwable cause) {
    if (failed.isEmpty()) {
      throw new IllegalArgumentException("failed: at least one index is needed");
    }
    return new SinkException(
        Kind.PARTIAL,
        failed.cardinality() + " of the batch's events failed: " + cause.getMessage(),
        cause,
        (BitSet) failed.clone());
  }

  /**
   * Some events of a batch were not taken. If the cause may pass, later events of the same keys
   * fail too, and the bus writes them again behind the failed ones. If the cause is permanent, only
   * the given events fail.
   *
   * @param batch the batch
   * @param failed the indexes, in the batch's list, of the events that failed; at least one
   * @param cause why they failed. A {@link SinkException} of kind PERMANENT means that they will
   *     never be taken
   * @return the exception
   */
  public static SinkException partial(Batch batch, BitSet failed, Throwable cause) {
    if (isForGood(cause)) {
      return partial(failed, cause);
    }
    BitSet withLater = (BitSet) failed.clone();
    Set<String> keys = new HashSet<>();
    for (int i = failed.nextSetBit(0); i >= 0 && i < batch.size(); i++) {
      String key = batch.events().get(i).key();
      if (key != null && failed.get(i)) {
        keys.add(key);
      } else if (key != null && keys.contains(key)) {
        withLater.set(i);
      }
    }
    return partial(withLater, cause);
  }

  /** {@return what can be done about it} */
  public Kind kind() {
    return kind;
  }

  /**
   * {@return whether the events that failed will never be taken: kind PERMANENT, or PARTIAL with
   * such a cause}
   */
  public boolean isForGood() {
    return kind == Kind.PERMANENT || (kind == Kind.PARTIAL && isForGood(getCause()));
  }

  private static boolean isForGood(@Nullable Throwable cause) {
    return cause instanceof SinkException known && known.isForGood();
  }

  /**
   * {@return for kind PARTIAL, a copy of the indexes in the batch's list that failed; empty for the
   * other kinds}
   */
  public BitSet failed() {
    return (BitSet) failed.clone();
  }
}
