package io.shardbus;

import io.shardbus.delivery.NoContext;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import java.util.concurrent.Callable;
import java.util.function.Supplier;

/**
 * A bus's own verticle. The sink opens in its context, so the sink's clients and timers end with
 * this verticle. They do not end earlier, with a verticle of the application, or when Vert.x begins
 * to close. To undeploy this verticle closes the bus.
 */
final class Home extends VerticleBase {

  private final Supplier<Future<Void>> close;
  private volatile boolean released;
  private Future<String> deployment = Future.failedFuture("not deployed");

  private Home(Supplier<Future<Void>> close) {
    this.close = close;
  }

  /**
   * @param close closes the bus
   */
  static Future<Home> deploy(Vertx vertx, Supplier<Future<Void>> close) {
    Home home = new Home(close);
    home.deployment = NoContext.deploy(vertx, () -> home, new DeploymentOptions());
    return home.deployment.map(home);
  }

  /** Begins something in its context. */
  <T> Future<T> run(Callable<Future<T>> task) {
    Promise<T> promise = Promise.promise();
    context.runOnContext(now -> NoContext.begin(task, promise));
    return promise.future();
  }

  @Override
  public Future<?> stop() {
    return released ? Future.succeededFuture() : close.get().otherwiseEmpty();
  }

  /** Undeploys it. The bus must be closed. */
  Future<Void> release(Vertx vertx) {
    released = true;
    return deployment
        .compose(vertx::undeploy)
        .otherwiseEmpty(); // another undeployment may be under way
  }
}
