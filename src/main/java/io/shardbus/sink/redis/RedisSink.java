package io.shardbus.sink.redis;

import io.shardbus.event.Batch;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.support.AppendListeners;
import io.shardbus.sink.support.InFlight;
import io.shardbus.sink.support.PositionCursor;
import io.vertx.core.Future;
import org.jspecify.annotations.Nullable;

/**
 * Keeps events in Redis streams, one a shard. Listeners are told of the events of this sink, not of
 * entries that others write to the same server. Safe for any thread.
 */
final class RedisSink implements ReplayableSink {

  private final RedisSinkOptions options;
  private final AppendListeners listeners = new AppendListeners();
  private final InFlight inFlight = new InFlight();
  private volatile @Nullable Opened opened;
  private @Nullable Future<Void> closed;

  private record Opened(RedisServer server, RedisWriter writer, RedisReader reader) {}

  /**
   * @param options where to write; copied
   */
  RedisSink(RedisSinkOptions options) {
    this.options = new RedisSinkOptions(options);
  }

  @Override
  public String name() {
    return RedisSinkOptions.SINK_NAME;
  }

  @Override
  public Future<Void> open(SinkContext context) {
    RedisServer server = new RedisServer(context.vertx(), options);
    RedisKeys keys = new RedisKeys(options.getStreamPrefix());
    RedisReader reader = new RedisReader(server, keys);
    opened = new Opened(server, new RedisWriter(server, keys, options.getMaxLen()), reader);
    // Reading looks at the credentials, and at every key.
    return server.check().compose(good -> reader.end()).mapEmpty();
  }

  @Override
  public Future<Void> write(Batch batch) {
    return inFlight.run(() -> opened().writer().write(batch)).onSuccess(d -> listeners.appended());
  }

  @Override
  public Future<EventPage> read(EventQuery query) {
    return inFlight.run(
        () -> {
          var cursor = PositionCursor.parse(query.cursor(), RedisSinkOptions.SINK_NAME);
          return opened().reader().read(cursor, query);
        });
  }

  @Override
  public Future<String> endCursor() {
    return inFlight.run(
        () -> opened().reader().end().map(end -> end.format(RedisSinkOptions.SINK_NAME)));
  }

  @Override
  public boolean recallsIds() {
    return true;
  }

  @Override
  public Runnable onAppend(Runnable listener) {
    return listeners.add(listener);
  }

  @Override
  public synchronized Future<Void> close() {
    if (closed == null) {
      Opened open = opened;
      closed =
          inFlight.close().compose(idle -> open == null ? Future.succeededFuture() : end(open));
    }
    return closed;
  }

  private static Future<Void> end(Opened open) {
    return Future.join(open.reader().close(), open.server().close()).mapEmpty();
  }

  private Opened opened() {
    Opened open = opened;
    if (open == null) {
      throw new IllegalStateException("the sink is not open");
    }
    return open;
  }
}
