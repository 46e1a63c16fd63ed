package io.shardbus.app;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Lines of bytes; null after the last. */
interface Lines {
  byte @Nullable [] next() throws IOException;

  /** Whether the next line is not known yet. */
  default boolean nextWouldWait() throws IOException {
    return false;
  }
}
