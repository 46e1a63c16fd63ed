package io.shardbus.shard;

import org.slf4j.Logger;

/**
 * Logs what went wrong where nothing may be thrown: with no memory left, logging fails too, and the
 * report is lost rather than the caller's work.
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
      // Nobody can be told.
    }
  }
}
