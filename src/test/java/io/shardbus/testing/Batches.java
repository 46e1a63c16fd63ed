package io.shardbus.testing;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;

/** Batches made by hand. */
public final class Batches {

  private Batches() {}

  /** A batch of shard 0 whose events have these keys; null for none. */
  public static Batch withKeys(String... keys) {
    List<ShardEvent> events = new ArrayList<>();
    for (int i = 0; i < keys.length; i++) {
      events.add(new ShardEvent(0, i, i + 1, Buffer.buffer("" + i), keys[i]));
    }
    return new Batch(0, 0, events, new ProducerId("test", 1));
  }
}
