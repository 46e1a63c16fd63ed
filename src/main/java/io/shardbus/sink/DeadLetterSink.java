package io.shardbus.sink;

import io.vertx.core.Future;
import java.util.List;

/** Where events go that the sink will not take. Safe for any thread; does not block. */
@FunctionalInterface
public interface DeadLetterSink {

  /**
   * Keeps events. If it fails it is asked again with the same ones, and their shard waits; what is
   * there already must be passed over.
   *
   * @param letters the events, at least one
   * @return completes when they are kept
   */
  Future<Void> add(List<DeadLetter> letters);
}
