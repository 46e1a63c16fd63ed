package io.shardbus.delivery;

import io.shardbus.sink.DeliveryObserver;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;

/*
 * Asks the scaling policy once per metrics window, and more often while events come: the first batch after a pause
 * starts looks, and a window without any ends them. An idle bus is asked once per window only.
 *
 * Ownership: everything runs on the verticle's context, but for `batchFormed`, which the shards call on theirs.
 */
/** Asks the scaling policy as often as it has something to say. */
public final class ScalerVerticle extends VerticleBase implements DeliveryObserver {

  private final Scaler scaler;
  private final DeliveryObservers observers;
  private Runnable stopObserving = () -> {};
  private long windowTimer = -1;
  private long lookTimer = -1;
  private long offeredBefore;

  /** Whether looks are under way, or asked for. */
  private volatile boolean looking;

  /**
   * @param scaler what acts
   * @param observers who tell of batches
   */
  public ScalerVerticle(Scaler scaler, DeliveryObservers observers) {
    this.scaler = scaler;
    this.observers = observers;
  }

  @Override
  public Future<?> start() {
    scaler.onPolicyChange(() -> context.runOnContext(now -> beginWindow()));
    beginWindow();
    stopObserving = observers.add(this);
    return Future.succeededFuture();
  }

  @Override
  public void batchFormed(int events) {
    if (!looking) {
      looking = true;
      context.runOnContext(now -> look());
    }
  }

  private void beginWindow() {
    vertx.cancelTimer(windowTimer);
    windowTimer =
        vertx.setPeriodic(
            Math.max(1, scaler.policy().getMetricsWindow().toMillis()), id -> windowEnded());
  }

  private void windowEnded() {
    long offered = scaler.offered();
    looking = offered != offeredBefore;
    offeredBefore = offered;
    if (!looking) {
      vertx.cancelTimer(lookTimer);
      lookTimer = -1;
    }
    scaler.tick();
  }

  private void look() {
    vertx.cancelTimer(lookTimer);
    lookTimer = vertx.setTimer(scaler.lookMillis(), id -> look());
    scaler.tick();
  }

  @Override
  public Future<?> stop() {
    stopObserving.run();
    scaler.onPolicyChange(() -> {});
    return Future.succeededFuture();
  }
}
