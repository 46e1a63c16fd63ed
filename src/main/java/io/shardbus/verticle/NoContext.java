package io.shardbus.verticle;

import io.vertx.core.Deployable;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.function.Supplier;

/**
 * Threads without a Vert.x context. What is deployed, or waited for, from the context of a verticle
 * belongs to that verticle and ends with it. The threads are of no pool that others could fill.
 */
public final class NoContext {

  static final Executor THREADS =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "shardbus-no-context");
            thread.setDaemon(true);
            return thread;
          });

  private NoContext() {}

  /**
   * Deploys verticles that are not the children of a caller that is one.
   *
   * @param vertx where
   * @param verticle makes one
   * @param options how, and how many
   * @return the deployment's id, on any thread
   */
  public static Future<String> deploy(
      Vertx vertx, Supplier<? extends Deployable> verticle, DeploymentOptions options) {
    Promise<String> deployed = Promise.promise();
    THREADS.execute(() -> vertx.deployVerticle(verticle, options).onComplete(deployed));
    return deployed.future();
  }
}
