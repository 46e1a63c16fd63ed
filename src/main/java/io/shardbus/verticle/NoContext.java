package io.shardbus.verticle;

import java.util.concurrent.ForkJoinPool;

/**
 * Runs code on a thread without a Vert.x context. What is deployed, or waited for, from the context
 * of a verticle belongs to that verticle and ends with it.
 */
final class NoContext {

  private NoContext() {}

  static void execute(Runnable action) {
    ForkJoinPool.commonPool().execute(action);
  }
}
