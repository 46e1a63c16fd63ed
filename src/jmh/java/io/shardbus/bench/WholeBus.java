package io.shardbus.bench;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.List;

/** The product, with verticles and a sink that counts. */
final class WholeBus implements Pipeline {

  private static final int BATCH = 256;

  private final Vertx vertx = Vertx.vertx();
  private final CountingSink sink;
  private final Feed feed;
  private final ShardBus bus;

  WholeBus(int shards, Feed feed) {
    this(options(shards), shards, feed);
  }

  /**
   * @param ids how many shards there will ever be
   */
  WholeBus(ShardBusOptions options, int ids, Feed feed) {
    this.feed = feed;
    sink = new CountingSink(ids);
    bus = ShardBus.start(vertx, options, sink).await();
  }

  static ShardBusOptions options(int shards) {
    return new ShardBusOptions().setShards(shards).setRingCapacity(RING_CAPACITY);
  }

  ShardBus bus() {
    return bus;
  }

  @Override
  public Inlet inlet(int producer) {
    return feed == Feed.BATCHED ? batched() : single();
  }

  private Inlet single() {
    Idle idle = new Idle();
    return payload -> {
      RawEvent event = feed.event(payload);
      idle.reset();
      while (!bus.ingest(event).accepted()) {
        idle.pause();
      }
      return 1;
    };
  }

  /** What a batch does not get in is not offered again: the result does not say which it is. */
  private Inlet batched() {
    Idle idle = new Idle();
    List<RawEvent> batch = new ArrayList<>(BATCH);
    return payload -> {
      batch.add(feed.event(payload));
      if (batch.size() < BATCH) {
        return 0;
      }
      int accepted = bus.ingestBatch(batch).accepted();
      batch.clear();
      if (accepted == BATCH) {
        idle.reset();
      } else {
        idle.pause();
      }
      return accepted;
    };
  }

  @Override
  public long consumed() {
    return sink.counts().events();
  }

  @Override
  public long bytes() {
    return sink.counts().bytes();
  }

  @Override
  public void close() {
    bus.close().await();
    vertx.close().await();
  }
}
