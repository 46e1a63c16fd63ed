package io.shardbus.verticle;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;

/** Asks the scaling policy once per metrics window. */
public final class ScalerVerticle extends VerticleBase {

  private final Scaler scaler;
  private long timer = -1;

  /**
   * @param scaler what acts
   */
  public ScalerVerticle(Scaler scaler) {
    this.scaler = scaler;
  }

  @Override
  public Future<?> start() {
    scaler.onPolicyChange(() -> context.runOnContext(now -> beginWindow()));
    beginWindow();
    return Future.succeededFuture();
  }

  private void beginWindow() {
    vertx.cancelTimer(timer);
    timer =
        vertx.setPeriodic(
            Math.max(1, scaler.policy().getMetricsWindow().toMillis()), id -> scaler.tick());
  }

  @Override
  public Future<?> stop() {
    scaler.onPolicyChange(() -> {});
    return Future.succeededFuture();
  }
}
