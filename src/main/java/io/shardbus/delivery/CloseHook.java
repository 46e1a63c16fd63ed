package io.shardbus.delivery;

import io.vertx.core.Closeable;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.internal.CloseFuture;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import java.util.function.Supplier;

/** Closes something when its Vert.x or its verticle ends. Vert.x has no public way to do that. */
public final class CloseHook {

  private CloseHook() {}

  /**
   * Before any verticle is undeployed. Vert.x undeploys all verticles at once, so a verticle would
   * learn of the end too late: others may still have events to deliver.
   *
   * @return takes it back
   */
  static Runnable set(Vertx vertx, Supplier<Future<Void>> close) {
    return vertx instanceof VertxInternal known ? set(known.closeFuture(), close) : () -> {};
  }

  /**
   * After the verticle of a context has stopped, when its timers end. A context without a verticle
   * ends with its Vert.x.
   *
   * @param context the context
   * @param close closes it; on any thread
   * @return takes it back
   */
  public static Runnable set(Context context, Supplier<Future<Void>> close) {
    return context instanceof ContextInternal known ? set(known.closeFuture(), close) : () -> {};
  }

  private static Runnable set(CloseFuture end, Supplier<Future<Void>> close) {
    Closeable hook = completion -> close.get().onComplete(completion);
    end.add(hook);
    return () -> end.remove(hook);
  }
}
