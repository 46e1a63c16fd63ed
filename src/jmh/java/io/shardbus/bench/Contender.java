package io.shardbus.bench;

import com.lmax.disruptor.BlockingWaitStrategy;
import com.lmax.disruptor.BusySpinWaitStrategy;
import com.lmax.disruptor.YieldingWaitStrategy;

/** The systems that are compared. */
public enum Contender {
  BARE_RING("bare JCTools ring"),
  DISRUPTOR_BUSY_SPIN("Disruptor, busy-spin"),
  DISRUPTOR_YIELDING("Disruptor, yielding"),
  DISRUPTOR_BLOCKING("Disruptor, blocking"),
  ARRAY_BLOCKING_QUEUE("ArrayBlockingQueue"),
  LOCKED_RING("lock and SPSC ring"),
  EVENT_BUS("Vert.x eventBus.send"),
  ENGINE("Shardbus engine"),
  BUS("Shardbus"),
  BUS_HASH_GIVEN("Shardbus, hash given"),
  BUS_BATCHES("Shardbus, batches of 256");

  private final String title;

  Contender(String title) {
    this.title = title;
  }

  String title() {
    return title;
  }

  Pipeline open(int producers, int shards) {
    return switch (this) {
      case BARE_RING -> QueueRings.bare(shards);
      case DISRUPTOR_BUSY_SPIN -> new DisruptorRings(shards, BusySpinWaitStrategy::new);
      case DISRUPTOR_YIELDING -> new DisruptorRings(shards, YieldingWaitStrategy::new);
      case DISRUPTOR_BLOCKING -> new DisruptorRings(shards, BlockingWaitStrategy::new);
      case ARRAY_BLOCKING_QUEUE -> QueueRings.blockingQueue(shards);
      case LOCKED_RING -> QueueRings.locked(shards);
      case EVENT_BUS -> new EventBusSend(producers, shards);
      case ENGINE -> new Engine(shards);
      case BUS -> new WholeBus(shards, WholeBus.Feed.SINGLE);
      case BUS_HASH_GIVEN -> new WholeBus(shards, WholeBus.Feed.HASH_GIVEN);
      case BUS_BATCHES -> new WholeBus(shards, WholeBus.Feed.BATCHED);
    };
  }
}
