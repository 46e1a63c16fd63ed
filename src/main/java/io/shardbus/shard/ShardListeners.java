package io.shardbus.shard;

import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.IntConsumer;

/** Who is told the ids of shards that come, or that go. Safe for any thread. */
final class ShardListeners {

  private static final Logger LOG = LoggerFactory.getLogger(ShardListeners.class);

  private final List<IntConsumer> all = new CopyOnWriteArrayList<>();

  void add(IntConsumer listener) {
    all.add(listener);
  }

  /** If a listener throws, the caller must still get the result. */
  void tell(List<Integer> ids) {
    for (int i = 0; i < all.size(); i++) { // without an iterator, which needs memory
      for (int j = 0; j < ids.size(); j++) {
        try {
          all.get(i).accept(ids.get(j));
        } catch (Throwable e) {
          SafeLog.error(LOG, "a listener to shards that come and go failed", e);
        }
      }
    }
  }
}
