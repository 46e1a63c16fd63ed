package io.shardbus.verticle;

import io.vertx.core.Closeable;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.internal.VertxInternal;
import java.util.function.Supplier;

/**
 * Has something closed as the first thing that its Vert.x closes. There is no public way to be told
 * so early: a verticle is told when all are undeployed at once, those that consume what is still to
 * be delivered among them.
 */
final class CloseHook {

  private CloseHook() {}

  /**
   * @return takes it back
   */
  static Runnable set(Vertx vertx, Supplier<Future<Void>> close) {
    if (vertx instanceof VertxInternal known) {
      Closeable hook = completion -> close.get().onComplete(completion);
      known.addCloseHook(hook);
      return () -> known.removeCloseHook(hook);
    }
    return () -> {};
  }
}
