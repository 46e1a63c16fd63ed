package io.shardbus.sink.jetstream;

import io.shardbus.event.Batch;
import io.shardbus.event.IdStore;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.support.AppendListeners;
import io.shardbus.sink.support.InFlight;
import io.shardbus.sink.support.OwnThread;
import io.shardbus.sink.support.PositionCursor;
import io.vertx.core.Future;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * Keeps events in a NATS JetStream stream. Listeners are told of the events of this sink, not of
 * messages that others publish to the same stream. Safe for any thread.
 */
final class JetStreamSink implements ReplayableSink {

  private final OwnThread writing = new OwnThread("shardbus-jetstream-writer", "the sink is");
  private final OwnThread reading = new OwnThread("shardbus-jetstream-reader", "the sink is");
  private final JetStreamServer server;
  private final JetStreamWriter writer;
  private final JetStreamReader reader;
  private final AppendListeners listeners = new AppendListeners();
  private final InFlight inFlight = new InFlight();
  private @Nullable Future<Void> closed;

  /**
   * @param options where to write; copied
   */
  JetStreamSink(JetStreamSinkOptions options) {
    JetStreamSinkOptions copy = new JetStreamSinkOptions(options);
    server = new JetStreamServer(copy);
    writer = new JetStreamWriter(writing, server, copy);
    reader = new JetStreamReader(server, copy);
  }

  @Override
  public String name() {
    return JetStreamSinkOptions.SINK_NAME;
  }

  @Override
  public Future<Void> open(SinkContext context) {
    return reading(
            () -> {
              server.useTls(context.vertx());
              return server.link();
            })
        .mapEmpty();
  }

  @Override
  public Future<Void> write(Batch batch) {
    return inFlight.run(() -> writer.write(batch)).onSuccess(d -> listeners.appended());
  }

  @Override
  public Future<EventPage> read(EventQuery query) {
    return inFlight.run(
        () -> {
          var cursor = PositionCursor.parse(query.cursor(), JetStreamSinkOptions.SINK_NAME);
          return reading(() -> reader.read(cursor, query));
        });
  }

  @Override
  public Future<String> endCursor() {
    return inFlight.run(() -> reading(() -> reader.end().format(JetStreamSinkOptions.SINK_NAME)));
  }

  @Override
  public Runnable onAppend(Runnable listener) {
    return listeners.add(listener);
  }

  @Override
  public @Nullable IdStore idStore() {
    return server.idStore();
  }

  @Override
  public synchronized Future<Void> close() {
    if (closed == null) {
      closed = inFlight.close().compose(idle -> end());
    }
    return closed;
  }

  private Future<Void> end() {
    return reading
        .end(() -> null)
        .compose(
            done ->
                writing.end(
                    () -> {
                      server.close();
                      return null;
                    }));
  }

  private <T> Future<T> reading(Callable<T> work) {
    return reading.call(work).recover(failure -> Future.failedFuture(server.explain(failure)));
  }
}
