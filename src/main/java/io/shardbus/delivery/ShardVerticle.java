package io.shardbus.delivery;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;

/**
 * Runs one shard's consumer on its event-loop context. Woken by the first event, idle otherwise. If
 * it is undeployed, nothing is lost: its drained events wait for the next verticle.
 */
final class ShardVerticle extends VerticleBase {

  private final ShardPump pump;
  private final Runnable onStopped;

  ShardVerticle(ShardPump pump, Runnable onStopped) {
    this.pump = pump;
    this.onStopped = onStopped;
  }

  @Override
  public Future<?> start() {
    pump.attach(new VertxLoop(vertx, context));
    return Future.succeededFuture();
  }

  @Override
  public Future<?> stop() {
    return pump.detach().onComplete(done -> onStopped.run());
  }
}
