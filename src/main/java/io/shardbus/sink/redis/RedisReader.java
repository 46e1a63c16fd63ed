package io.shardbus.sink.redis;

import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.support.OwnThread;
import io.shardbus.sink.support.PositionCursor;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/*
 * Fetches entries, for one page after the other. The page merges them.
 */
final class RedisReader {

  private static final Logger LOG = LoggerFactory.getLogger(RedisReader.class);
  private static final Pattern SHARD = Pattern.compile("0|[1-9][0-9]{0,4}");

  private final RedisServer server;
  private final RedisKeys keys;

  /** A filter takes longer than an event loop has. */
  private final OwnThread thread = new OwnThread("shardbus-redis-reader", "the sink is");

  /** Whether a member of the set that is no shard was logged, which one is enough of. */
  private volatile boolean told;

  /** Which store is there, and its shards. */
  private record Contents(long store, List<String> shards) {

    /** All, or only the one. */
    List<String> shards(@Nullable Integer only) {
      return only == null
          ? shards
          : shards.stream().filter(Integer.toString(only)::equals).toList();
    }
  }

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
              fill(new PageMerge(from, query, contents.shards(query.shard())), done);
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
                    replies.get(1).stream()
                        .map(Response::toString)
                        .filter(this::isShard)
                        .toList()));
  }

  private boolean isShard(String member) {
    boolean known = SHARD.matcher(member).matches();
    if (!known && !told) {
      told = true;
      LOG.warn(keys.shards() + ": passes over \"" + member + "\", which is not the id of a shard");
    }
    return known;
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
                        append(page, dry.get(i), replies.get(i), count);
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

  private static void append(PageMerge page, PageMerge.Stream stream, Response reply, int asked) {
    int got = 0;
    int shard = Integer.parseInt(stream.shard());
    for (Response entry : reply) {
      EntryId id = EntryId.parse(entry.get(0).toString());
      if (page.isPast(id)) {
        break;
      }
      got++;
      stream.add(id, EntryFields.event(shard, entry.get(1)));
    }
    if (got < asked) {
      stream.atEnd();
    }
  }
}
