package io.shardbus;

import io.vertx.core.Closeable;
import io.vertx.core.Vertx;
import io.vertx.core.internal.VertxInternal;

/**
 * Closes a bus before its Vert.x, as the clients of Vert.x itself are: else what the bus has
 * accepted would be lost with the event loops. There is no public way to be told.
 */
final class CloseHook {

  private CloseHook() {}

  /** Until the bus is closed. */
  static void set(Vertx vertx, DefaultShardBus bus) {
    if (vertx instanceof VertxInternal known) {
      Closeable hook = completion -> bus.end().onComplete(completion);
      known.addCloseHook(hook);
      bus.onClosed(() -> known.removeCloseHook(hook));
    }
  }
}
