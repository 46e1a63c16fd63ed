package io.shardbus.app;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Lines of bytes; null behind the last. */
interface Lines {
  byte @Nullable [] next() throws IOException;

  /** Whether it is not known yet what comes next. */
  default boolean nextWouldWait() throws IOException {
    return false;
  }
}
