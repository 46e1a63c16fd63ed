package io.shardbus.gateway;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Limits the memory of input that is incomplete or waits for room, of all connections together.
 * Safe for any thread; one thread uses a share.
 */
final class Budget {

  private final LongSupplier bytes;
  private final AtomicLong used = new AtomicLong();

  /**
   * @param bytes the limit in force
   */
  Budget(LongSupplier bytes) {
    this.bytes = bytes;
  }

  String refusal() {
    return "gateway.maxPartialBytes: "
        + bytes.getAsLong()
        + " bytes of unfinished bodies and messages are in memory";
  }

  long used() {
    return used.get();
  }

  Share share() {
    return new Share();
  }

  /** The memory that one connection takes. */
  final class Share {

    private long mine;

    /** Takes or gives back; false, with nothing changed, if there is not enough left. */
    boolean resize(long size) {
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

    void free() {
      resize(0);
    }
  }
}
