package io.shardbus.bench;

import com.lmax.disruptor.BlockingWaitStrategy;
import com.lmax.disruptor.BusySpinWaitStrategy;
import com.lmax.disruptor.SleepingWaitStrategy;
import com.lmax.disruptor.YieldingWaitStrategy;

/** The systems that are compared. */
public enum Contender {
  BARE_RING("bare JCTools ring"),
  VAR_HANDLE_RING("bare JCTools ring, VarHandle"),
  DISRUPTOR_BUSY_SPIN("Disruptor, busy-spin"),
  DISRUPTOR_YIELDING("Disruptor, yielding"),
  DISRUPTOR_SLEEPING("Disruptor, sleeping"),
  DISRUPTOR_BLOCKING("Disruptor, blocking"),
  ARRAY_BLOCKING_QUEUE("ArrayBlockingQueue"),
  LOCKED_RING("lock and SPSC ring"),
  EVENT_BUS("Vert.x eventBus.send"),
  ENGINE("Shardbus engine"),
  ENGINE_HASH_GIVEN("Shardbus engine, hash given"),
  BUS("Shardbus"),
  BUS_KEYED("Shardbus, keyed"),
  BUS_HASH_GIVEN("Shardbus, hash given"),
  BUS_BATCHES("Shardbus, batches of 256");

  private final String title;

  Contender(String title) {
    this.title = title;
  }

  String title() {
    return title;
  }

  /** Whether it is the product, or a part of it. */
  boolean own() {
    return compareTo(ENGINE) >= 0;
  }

  Pipeline open(int producers, int shards) {
    return switch (this) {
      case BARE_RING -> QueueRings.bare(shards);
      case VAR_HANDLE_RING -> QueueRings.varHandle(shards);
      case DISRUPTOR_BUSY_SPIN -> new DisruptorRings(shards, BusySpinWaitStrategy::new);
      case DISRUPTOR_YIELDING -> new DisruptorRings(shards, YieldingWaitStrategy::new);
      case DISRUPTOR_SLEEPING -> new DisruptorRings(shards, SleepingWaitStrategy::new);
      case DISRUPTOR_BLOCKING -> new DisruptorRings(shards, BlockingWaitStrategy::new);
      case ARRAY_BLOCKING_QUEUE -> QueueRings.blockingQueue(shards);
      case LOCKED_RING -> QueueRings.locked(shards);
      case EVENT_BUS -> new EventBusSend(producers, shards);
      case ENGINE -> new Engine(shards, Feed.SINGLE);
      case ENGINE_HASH_GIVEN -> new Engine(shards, Feed.HASH_GIVEN);
      case BUS -> new WholeBus(shards, Feed.SINGLE);
      case BUS_KEYED -> new WholeBus(shards, Feed.KEYED);
      case BUS_HASH_GIVEN -> new WholeBus(shards, Feed.HASH_GIVEN);
      case BUS_BATCHES -> new WholeBus(shards, Feed.BATCHED);
    };
  }
}
