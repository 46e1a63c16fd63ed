package io.shardbus.sink.kafka;

import io.shardbus.event.Batch;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.support.AppendListeners;
import io.shardbus.sink.support.PositionCursor;
import io.vertx.core.Future;
import org.jspecify.annotations.Nullable;

/**
 * Writes events to a Kafka topic, at least once, in order within a shard. Listeners are told of the
 * events of this sink, not of records that others write to the topic. Safe for any thread.
 */
final class KafkaSink implements ReplayableSink {

  static final String NAME = "kafka";

  private final AppendListeners listeners = new AppendListeners();
  private final KafkaWriter writer;
  private final KafkaReader reader;
  private @Nullable Future<Void> closed;

  /**
   * @param options which topic, and how; copied
   */
  KafkaSink(KafkaSinkOptions options) {
    KafkaSinkOptions copy = new KafkaSinkOptions(options);
    ClientProperties properties = new ClientProperties(copy);
    writer = new KafkaWriter(copy, properties);
    reader = new KafkaReader(NAME, copy, properties);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Future<Void> open(SinkContext context) {
    return writer.open();
  }

  @Override
  public Future<Void> write(Batch batch) {
    return writer
        .write(batch)
        .andThen(
            result -> {
              if (result.succeeded() || isPartial(result.cause())) {
                listeners.appended();
              }
            });
  }

  private static boolean isPartial(Throwable failure) {
    return failure instanceof SinkException known && known.kind() == SinkException.Kind.PARTIAL;
  }

  @Override
  public Future<EventPage> read(EventQuery query) {
    PositionCursor cursor;
    try {
      cursor = PositionCursor.parse(query.cursor(), NAME);
    } catch (IllegalArgumentException e) {
      return Future.failedFuture(e);
    }
    return reader.read(cursor, query);
  }

  @Override
  public Future<String> endCursor() {
    return reader.endCursor();
  }

  @Override
  public Runnable onAppend(Runnable listener) {
    return listeners.add(listener);
  }

  @Override
  public synchronized Future<Void> close() {
    if (closed == null) {
      closed = Future.join(writer.close(), reader.close()).mapEmpty();
    }
    return closed;
  }
}
