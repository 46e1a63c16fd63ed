package io.shardbus.delivery;

import io.vertx.core.Completable;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;

/**
 * Runs one shard's consumer on its event-loop context. Woken by the first event, idle otherwise. If
 * it is undeployed, nothing is lost: its drained events wait for the next verticle.
 */
final class ShardVerticle extends VerticleBase {

  private final ShardPump pump;
  private final Completable<Void> onStopped;

  ShardVerticle(ShardPump pump, Runnable onStopped) {
    this.pump = pump;
    this.onStopped = (nothing, failure) -> onStopped.run(); // made while there is memory
  }

  @Override
  public Future<?> start() {
    pump.attach(new VertxLoop(vertx, context));
    return Future.succeededFuture();
  }

  @Override
  public Future<?> stop() {
    return pump.detach().onComplete(onStopped);
  }
}
