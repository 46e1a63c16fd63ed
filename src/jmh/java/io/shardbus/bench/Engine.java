package io.shardbus.bench;

import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.DrainBuffer;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardManager;

/** The product's engine alone, with a thread for each shard in place of a verticle. */
final class Engine implements Pipeline {

  private static final int MOST_AT_ONCE = 1_000;

  private final ShardManager manager;
  private final Feed feed;
  private final Counts counts;
  private final Consumers consumers;

  Engine(int shards, Feed feed) {
    this.feed = feed;
    manager = new ShardManager(shards, RING_CAPACITY, BackpressureMode.FAIL_PRODUCER);
    counts = new Counts(shards);
    consumers = new Consumers(shards, this::work);
  }

  @Override
  public Inlet inlet(int producer) {
    Idle idle = new Idle();
    return payload -> {
      RawEvent event = feed.event(payload);
      idle.reset();
      while (!manager.ingestRaw(event).accepted()) {
        idle.pause();
      }
      return 1;
    };
  }

  private Consumers.Work work(int id) {
    Shard shard = manager.shard(id).orElseThrow();
    return () -> {
      if (shard.isEmpty()) {
        return 0;
      }
      DrainBuffer buffer = new DrainBuffer(shard.id(), Math.min(shard.size(), MOST_AT_ONCE));
      int taken = Math.max(0, shard.tryDrain(buffer, MOST_AT_ONCE, Long.MAX_VALUE));
      long bytes = 0;
      for (ShardEvent event : buffer.events()) {
        bytes += event.payload().length();
      }
      shard.settle(taken, 0);
      counts.add(id, taken, bytes);
      return taken;
    };
  }

  @Override
  public long consumed() {
    return counts.events();
  }

  @Override
  public long bytes() {
    return counts.bytes();
  }

  @Override
  public void close() throws InterruptedException {
    consumers.close();
    manager.close();
  }
}
