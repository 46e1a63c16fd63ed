package io.shardbus.sink.redis;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.support.PositionCursor;
import io.vertx.core.Future;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import java.nio.charset.StandardCharsets;
import java.util.List;

/*
 * Adds batches to streams by a script. A script runs alone and as a whole. If the server takes its first command, SADD,
 * it refuses none of the others for want of memory. So a batch is never written in part.
 */
final class RedisWriter {

  /** The server does nothing else while the script runs: a few milliseconds at this size. */
  private static final int MAX_EVENTS = 1_000;

  private static final long MAX_BYTES = 4 << 20;

  /** How long a producer that writes nothing is remembered. */
  private static final long PRODUCER_SECONDS = 7 * 24 * 3600;

  /*
   * KEYS: the stream, the producer's last "epoch-sequence", the set of shards, the number of the store.
   * ARGV: shard, producer, epoch, maximal length, seconds, the number of the store if it is a new one; then for each
   * event its sequence, how many arguments follow, and its other fields, each a name and a value.
   */
  private static final String SCRIPT =
      """
      redis.call('SADD', KEYS[3], ARGV[1])
      redis.call('SET', KEYS[4], ARGV[6], 'NX')
      local last = -1
      local state = redis.call('GET', KEYS[2])
      if state then
        local epoch, sequence = string.match(state, '^(%d+)-(%d+)$')
        if tonumber(epoch) > tonumber(ARGV[3]) then
          return redis.error_reply('FENCED producer ' .. ARGV[2] .. ' wrote with epoch ' .. epoch
              .. ' before, and now with the older ' .. ARGV[3])
        end
        if epoch == ARGV[3] then
          last = tonumber(sequence)
        end
      end
      local newest
      local i = 7
      while i < #ARGV do
        local fields = i + 2
        local behind = fields + tonumber(ARGV[i + 1])
        if tonumber(ARGV[i]) > last then
          newest = ARGV[i]
          redis.call('XADD', KEYS[1], '*', 'producer', ARGV[2], 'epoch', ARGV[3],
              'sequence', ARGV[i], unpack(ARGV, fields, behind - 1))
        end
        i = behind
      end
      if newest then
        redis.call('SET', KEYS[2], ARGV[3] .. '-' .. newest, 'EX', ARGV[5])
        if ARGV[4] ~= '0' then
          redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[4])
        end
      end
      return 0
      """;

  private final RedisServer server;
  private final RedisKeys keys;
  private final long maxLen;

  RedisWriter(RedisServer server, RedisKeys keys, long maxLen) {
    this.server = server;
    this.keys = keys;
    this.maxLen = maxLen;
  }

  Future<Void> write(Batch batch) {
    return writeFrom(batch, 0);
  }

  /** Piece after piece: if one fails, the retry passes over those before it. */
  private Future<Void> writeFrom(Batch batch, int from) {
    int to = pieceEnd(batch.events(), from);
    Future<Void> piece =
        server
            .send(() -> command(batch, from, to), () -> largest(batch.events().subList(from, to)))
            .mapEmpty();
    return to == batch.size() ? piece : piece.compose(done -> writeFrom(batch, to));
  }

  private static int pieceEnd(List<ShardEvent> events, int from) {
    int end = from;
    long bytes = 0;
    while (end < events.size() && end - from < MAX_EVENTS && bytes < MAX_BYTES) {
      bytes += events.get(end).size();
      end++;
    }
    return end;
  }

  private static long largest(List<ShardEvent> events) {
    long largest = 0;
    for (ShardEvent event : events) {
      String key = event.key();
      largest = Math.max(largest, event.payload().length());
      largest =
          Math.max(largest, key == null ? 0 : 1 + key.getBytes(StandardCharsets.UTF_8).length);
    }
    return largest;
  }

  private Request command(Batch batch, int from, int to) {
    String shard = Integer.toString(batch.shard());
    Request command =
        Request.cmd(Command.EVAL)
            .arg(SCRIPT)
            .arg(4)
            .arg(keys.stream(shard))
            .arg(keys.producer(shard, batch.producer().id()))
            .arg(keys.shards())
            .arg(keys.store())
            .arg(shard)
            .arg(batch.producer().id())
            .arg(batch.producer().epoch())
            .arg(maxLen)
            .arg(PRODUCER_SECONDS)
            .arg(PositionCursor.newStore());
    for (ShardEvent event : batch.events().subList(from, to)) {
      EntryFields.add(command, event);
    }
    return command;
  }
}
