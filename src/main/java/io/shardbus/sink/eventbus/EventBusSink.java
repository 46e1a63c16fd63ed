package io.shardbus.sink.eventbus;

import io.shardbus.event.Batch;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import org.jspecify.annotations.Nullable;

/**
 * Sends batches to the consumers at an event-bus address, each to one of them: at least once, in
 * order within a shard. Consumers join with {@link EventBusConsumer#start}. Safe for any thread.
 */
final class EventBusSink implements Sink {

  static final String NAME = "eventbus";

  private final EventBusSinkOptions options;
  private volatile @Nullable Open open;
  private @Nullable Future<Void> closed;

  private record Open(Vertx vertx, ConsumerGroup group, String deployment) {}

  /**
   * @param options where the consumers are; copied
   */
  EventBusSink(EventBusSinkOptions options) {
    this.options = new EventBusSinkOptions(options);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Future<Void> open(SinkContext context) {
    ConsumerGroup group = new ConsumerGroup(options);
    return context
        .vertx()
        .deployVerticle(group)
        .map(
            deployment -> {
              open = new Open(context.vertx(), group, deployment);
              return null;
            });
  }

  @Override
  public Future<Void> write(Batch batch) {
    Open current = open;
    return current == null
        ? Future.failedFuture(SinkException.transientFailure("the sink is not open"))
        : current.group().write(batch);
  }

  @Override
  public synchronized Future<Void> close() {
    Open current = open;
    if (current == null) {
      return Future.succeededFuture(); // if it opens late, the bus closes it again
    }
    if (closed == null) {
      closed =
          current
              .group()
              .drain()
              .compose(drained -> current.vertx().undeploy(current.deployment()));
    }
    return closed;
  }
}
