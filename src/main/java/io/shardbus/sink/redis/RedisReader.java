package io.shardbus.sink.redis;

import io.shardbus.event.ShardEvent;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.support.OwnThread;
import io.shardbus.sink.support.PositionCursor;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/*
 * Fetches entries, for one page after the other. The page merges them.
 */
final class RedisReader {

  private final RedisServer server;
  private final RedisKeys keys;

  /** A filter takes longer than an event loop has. */
  private final OwnThread thread = new OwnThread("shardbus-redis-reader", "the sink is");

  /** Which store is there, and its shards. */
  private record Contents(long store, List<String> shards) {}

  RedisReader(RedisServer server, RedisKeys keys) {
    this.server = server;
    this.keys = keys;
  }

  Future<EventPage> read(PositionCursor cursor, EventQuery query) {
    return contents()
        .compose(
            contents -> {
              Promise<EventPage> done = Promise.promise();
              PositionCursor from = cursor.in(contents.store());
              fill(new PageMerge(from, query, contents.shards()), done);
              return done.future();
            });
  }

  /** The ids of the newest entries. Fails if a key is no stream. */
  Future<PositionCursor> end() {
    return contents()
        .compose(
            contents -> {
              List<Request> requests = new ArrayList<>();
              for (String shard : contents.shards()) {
                requests.add(
                    Request.cmd(Command.XREVRANGE)
                        .arg(keys.stream(shard))
                        .arg("+")
                        .arg("-")
                        .arg("COUNT")
                        .arg(1));
              }
              return server.batch(requests).map(replies -> newest(contents, replies));
            });
  }

  private static PositionCursor newest(Contents contents, List<Response> replies) {
    TreeMap<String, Long> positions =
        new TreeMap<>(PositionCursor.BEGINNING.in(contents.store()).positions());
    for (int i = 0; i < replies.size(); i++) {
      for (Response entry : replies.get(i)) {
        EntryId.parse(entry.get(0).toString()).put(positions, contents.shards().get(i));
      }
    }
    return new PositionCursor(positions);
  }

  private Future<Contents> contents() {
    return server
        .batch(
            List.of(
                Request.cmd(Command.GET).arg(keys.store()),
                Request.cmd(Command.SMEMBERS).arg(keys.shards())))
        .map(
            replies ->
                new Contents(
                    replies.get(0) == null ? 0 : replies.get(0).toLong(),
                    replies.get(1).stream().map(Response::toString).toList()));
  }

  /**
   * Makes one round trip after the other. There can be many, so they must not form a chain of
   * futures.
   */
  private void fill(PageMerge page, Promise<EventPage> done) {
    List<PageMerge.Stream> dry = page.dry();
    int count = page.fetchCount();
    List<Request> requests = new ArrayList<>();
    for (PageMerge.Stream stream : dry) {
      requests.add(
          Request.cmd(Command.XRANGE)
              .arg(keys.stream(stream.shard()))
              .arg("(" + stream.last())
              .arg("+")
              .arg("COUNT")
              .arg(count));
    }
    server
        .batch(requests)
        .compose(
            replies ->
                thread.call(
                    () -> {
                      for (int i = 0; i < dry.size(); i++) {
                        append(dry.get(i), replies.get(i), count);
                      }
                      return page.merge();
                    }))
        .onSuccess(
            full -> {
              if (full) {
                done.complete(page.result());
              } else {
                fill(page, done);
              }
            })
        .onFailure(done::fail);
  }

  Future<Void> close() {
    return thread.end(() -> null);
  }

  private static void append(PageMerge.Stream stream, Response reply, int asked) {
    int got = 0;
    for (Response entry : reply) {
      got++;
      stream.add(
          EntryId.parse(entry.get(0).toString()),
          event(Integer.parseInt(stream.shard()), entry.get(1)));
    }
    if (got < asked) {
      stream.atEnd();
    }
  }

  /** The event of an entry's fields; null if Shardbus did not write the entry. */
  private static @Nullable StoredEvent event(int shard, Response fields) {
    Response epoch = null;
    Response sequence = null;
    Response timestamp = null;
    Response payload = null;
    String key = null;
    for (int i = 0; i + 1 < fields.size(); i += 2) {
      Response value = fields.get(i + 1);
      switch (fields.get(i).toString()) {
        case "epoch" -> epoch = value;
        case "sequence" -> sequence = value;
        case "timestamp" -> timestamp = value;
        case "payload" -> payload = value;
        case "key" -> key = value.toString();
        default -> {}
      }
    }
    if (epoch == null || sequence == null || timestamp == null || payload == null) {
      return null;
    }
    return new StoredEvent(
        epoch.toLong(),
        new ShardEvent(shard, sequence.toLong(), timestamp.toLong(), payload.toBuffer(), key));
  }
}
