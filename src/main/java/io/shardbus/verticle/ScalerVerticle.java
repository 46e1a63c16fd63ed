package io.shardbus.verticle;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.time.Duration;

/** Asks the scaling policy once per metrics window. */
public final class ScalerVerticle extends VerticleBase {

  private final Scaler scaler;
  private final Duration window;

  /**
   * @param scaler what acts
   * @param window the metrics window
   */
  public ScalerVerticle(Scaler scaler, Duration window) {
    this.scaler = scaler;
    this.window = window;
  }

  @Override
  public Future<?> start() {
    vertx.setPeriodic(Math.max(1, window.toMillis()), timer -> scaler.tick());
    return Future.succeededFuture();
  }
}
