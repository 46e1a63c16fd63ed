package io.shardbus.sink.jetstream;

import io.shardbus.event.Batch;
import io.shardbus.sink.AppendListeners;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.InFlight;
import io.shardbus.sink.PositionCursor;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.SinkContext;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * Keeps events in a NATS JetStream stream. Listeners are told of what this sink wrote, not of what
 * others publish to the same stream. Safe for any thread.
 */
public final class JetStreamSink implements ReplayableSink {

  private final JetStreamSinkOptions options;
  private final JetStreamServer server;
  private final JetStreamReader reader;
  private final AppendListeners listeners = new AppendListeners();
  private final InFlight inFlight = new InFlight();
  private volatile @Nullable Opened opened;

  private record Opened(Vertx vertx, WorkerExecutor thread, JetStreamWriter writer) {}

  /**
   * @param options where to write; copied
   */
  public JetStreamSink(JetStreamSinkOptions options) {
    this.options = new JetStreamSinkOptions(options);
    server = new JetStreamServer(this.options);
    reader = new JetStreamReader(server, this.options);
  }

  @Override
  public String name() {
    return JetStreamSinkOptions.SINK_NAME;
  }

  @Override
  public Future<Void> open(SinkContext context) {
    Vertx vertx = context.vertx();
    WorkerExecutor thread = vertx.createSharedWorkerExecutor("jetstream-" + UUID.randomUUID(), 1);
    opened = new Opened(vertx, thread, new JetStreamWriter(vertx, thread, server, options));
    return blocking(
        () -> {
          StreamSetup.ensure(server, options);
          return null;
        });
  }

  @Override
  public Future<Void> write(Batch batch) {
    return inFlight.run(() -> opened().writer().write(batch)).onSuccess(d -> listeners.appended());
  }

  @Override
  public Future<EventPage> read(EventQuery query) {
    PositionCursor cursor;
    try {
      cursor = PositionCursor.parse(query.cursor(), JetStreamSinkOptions.SINK_NAME);
    } catch (IllegalArgumentException e) {
      return Future.failedFuture(e);
    }
    return inFlight.run(() -> blocking(() -> reader.read(cursor, query)));
  }

  @Override
  public Future<String> endCursor() {
    return inFlight.run(() -> blocking(() -> reader.end().format(JetStreamSinkOptions.SINK_NAME)));
  }

  @Override
  public Runnable onAppend(Runnable listener) {
    return listeners.add(listener);
  }

  @Override
  public Future<Void> close() {
    Opened open = opened;
    if (open == null) {
      return Future.succeededFuture();
    }
    return inFlight
        .close()
        .compose(idle -> blocking(Executors.callable(server::close)))
        .eventually(() -> open.thread().close())
        .mapEmpty();
  }

  private <T> Future<T> blocking(Callable<T> work) {
    return opened()
        .vertx()
        .executeBlocking(work, false)
        .recover(failure -> Future.failedFuture(server.explain(failure)));
  }

  private Opened opened() {
    Opened open = opened;
    if (open == null) {
      throw new IllegalStateException("the sink is not open");
    }
    return open;
  }
}
