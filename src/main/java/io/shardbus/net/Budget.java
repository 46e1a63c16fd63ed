package io.shardbus.net;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Limits the memory of input that is incomplete or waits for room, of all connections together.
 * Safe for any thread; one thread uses a share.
 */
public final class Budget {

  private final LongSupplier bytes;
  private final AtomicLong used = new AtomicLong();

  /**
   * @param bytes the limit in force
   */
  public Budget(LongSupplier bytes) {
    this.bytes = bytes;
  }

  /** {@return why there is no more, for the client} */
  public String refusal() {
    return "gateway.maxPartialBytes: "
        + bytes.getAsLong()
        + " bytes of unfinished bodies and messages are in memory";
  }

  /** {@return the bytes of all shares} */
  public long used() {
    return used.get();
  }

  /** {@return a share for one connection, empty} */
  public Share share() {
    return new Share();
  }

  /** The memory that one connection takes. */
  public final class Share {

    private long mine;

    /**
     * Takes or gives back.
     *
     * @param size the bytes of this share from now on
     * @return false, with nothing changed, if there is not enough left
     */
    public boolean resize(long size) {
      long more = size - mine;
      long before;
      do { // a refused amount is not added even for a moment: others may fit
        before = used.get();
        if (more > 0 && before + more > bytes.getAsLong()) {
          return false;
        }
      } while (!used.compareAndSet(before, before + more));
      mine = size;
      return true;
    }

    /** Gives all of it back. */
    public void free() {
      resize(0);
    }
  }
}
