package io.shardbus.delivery;

import io.vertx.core.Closeable;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.internal.VertxInternal;
import java.util.function.Supplier;

/**
 * Closes something before anything else when its Vert.x closes. Vert.x has no public way to do that
 * so early: a verticle learns of the end only when all verticles are undeployed at once, also those
 * that still have events to deliver.
 */
final class CloseHook {

  private CloseHook() {}

  /** {@return takes it back} */
  static Runnable set(Vertx vertx, Supplier<Future<Void>> close) {
    if (vertx instanceof VertxInternal known) {
      Closeable hook = completion -> close.get().onComplete(completion);
      known.addCloseHook(hook);
      return () -> known.removeCloseHook(hook);
    }
    return () -> {};
  }
}
