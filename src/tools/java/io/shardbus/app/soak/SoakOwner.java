package io.shardbus.app.soak;

import io.shardbus.ShardBus;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;

/** A verticle that starts a bus, and whose undeployment closes it. */
final class SoakOwner extends VerticleBase {

  private final SoakPlan plan;
  private final SoakSink sink;
  private final Promise<ShardBus> started = Promise.promise();

  private SoakOwner(SoakPlan plan, SoakSink sink) {
    this.plan = plan;
    this.sink = sink;
  }

  /** A bus, and how it is closed. */
  record Owned(ShardBus bus, String deployment) {

    Future<Void> undeploy(Vertx vertx) {
      return vertx.undeploy(deployment);
    }
  }

  static Future<Owned> deploy(Vertx vertx, SoakPlan plan, SoakSink sink) {
    SoakOwner owner = new SoakOwner(plan, sink);
    return vertx
        .deployVerticle(owner)
        .compose(id -> owner.started.future().map(bus -> new Owned(bus, id)));
  }

  @Override
  public Future<?> start() {
    return ShardBus.start(vertx, plan.options, sink).onComplete(started);
  }
}
