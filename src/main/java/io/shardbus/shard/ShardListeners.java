package io.shardbus.shard;

import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;

/** Who is told the ids of shards that come, or that go. Safe for any thread. */
final class ShardListeners {

  private static final Logger LOG = LoggerFactory.getLogger(ShardListeners.class);

  private volatile IntConsumer[] all = {};

  /** Removes it again; does nothing the second time. */
  synchronized Runnable add(IntConsumer listener) {
    IntConsumer own = id -> listener.accept(id); // the same listener may be there twice
    IntConsumer[] more = Arrays.copyOf(all, all.length + 1);
    more[all.length] = own;
    all = more;
    return () -> remove(own);
  }

  private synchronized void remove(IntConsumer own) {
    all = Arrays.stream(all).filter(one -> one != own).toArray(IntConsumer[]::new);
  }

  /** If a listener throws, the caller must still get the result. */
  void tell(List<Integer> ids) {
    for (IntConsumer listener : all) {
      for (int j = 0; j < ids.size(); j++) { // without an iterator, which needs memory
        try {
          listener.accept(ids.get(j));
        } catch (Throwable e) {
          SafeLog.error(LOG, "a listener to shards that come and go failed", e);
        }
      }
    }
  }
}
