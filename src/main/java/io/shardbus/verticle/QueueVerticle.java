package io.shardbus.verticle;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;

/**
 * Gives an {@link IngestQueue} a context of its own, so that those who wait do not depend on the
 * verticle of whoever waited first.
 */
public final class QueueVerticle extends VerticleBase {

  private final IngestQueue queue;

  /**
   * @param queue what runs here
   */
  public QueueVerticle(IngestQueue queue) {
    this.queue = queue;
  }

  @Override
  public Future<?> start() {
    queue.runOn(context);
    return Future.succeededFuture();
  }

  @Override
  public Future<?> stop() {
    queue.runOn(null);
    return Future.succeededFuture();
  }
}
