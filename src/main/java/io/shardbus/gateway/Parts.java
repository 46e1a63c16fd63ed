package io.shardbus.gateway;

import io.vertx.core.buffer.Buffer;
import org.jspecify.annotations.Nullable;

/** A body or message that comes in parts. If it comes in one, that is not copied. */
final class Parts {

  private final Budget.Share share;
  private @Nullable Buffer first;
  private @Nullable Buffer joined;

  Parts(Budget budget) {
    share = budget.share();
  }

  long length() {
    return joined != null ? joined.length() : first != null ? first.length() : 0;
  }

  /** False if there is no memory for it. */
  boolean add(Buffer part) {
    if (!share.resize(length() + part.length())) {
      return false;
    }
    if (joined != null) {
      joined.appendBuffer(part);
    } else if (first == null || first.length() == 0) {
      first = part;
    } else {
      joined = Buffer.buffer(first.length() + part.length()).appendBuffer(first).appendBuffer(part);
    }
    return true;
  }

  /** All of it, which does not count any longer. */
  Buffer take() {
    Buffer all = joined != null ? joined : first != null ? first : Buffer.buffer();
    drop();
    return all;
  }

  void drop() {
    first = null;
    joined = null;
    share.free();
  }
}
