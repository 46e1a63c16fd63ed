package io.shardbus.shard;

import io.vertx.core.internal.logging.Logger;

/**
 * Logs failures in places that must not throw. If memory has run out, logging fails too; then the
 * report is lost, not the work of the caller.
 */
public final class SafeLog {

  private SafeLog() {}

  /**
   * Logs an error.
   *
   * @param log where
   * @param message what failed
   * @param cause why
   */
  public static void error(Logger log, String message, Throwable cause) {
    try {
      log.error(message, cause);
    } catch (Throwable e) {
      // There is no way left to report it.
    }
  }
}
