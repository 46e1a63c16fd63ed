package io.shardbus.gateway;

import io.shardbus.event.ByteBlocks;
import io.shardbus.net.Budget;
import io.vertx.core.buffer.Buffer;
import org.jspecify.annotations.Nullable;

/** A body or message that comes in parts. If it comes as one part, it is not copied. */
final class PartialBody {

  private static final Buffer NOTHING = Buffer.buffer();

  private final Budget.Share share;
  private final ByteBlocks blocks = new ByteBlocks();
  private @Nullable Buffer first;

  PartialBody(Budget budget) {
    share = budget.share();
  }

  long length() {
    return first != null ? first.length() : blocks.length();
  }

  /** False if there is no memory for it. */
  boolean add(Buffer part) {
    if (length() == 0) {
      first = part;
    } else {
      if (first != null) {
        blocks.append(first, 0, first.length());
        first = null;
      }
      blocks.append(part, 0, part.length());
    }
    return share.resize(first != null ? first.length() : blocks.memory());
  }

  /** The whole body or message. It does not count against the memory any longer. */
  Buffer take() {
    Buffer all = first != null ? first : blocks.join(NOTHING, 0, 0);
    drop();
    return all;
  }

  void drop() {
    first = null;
    blocks.clear();
    share.free();
  }
}
