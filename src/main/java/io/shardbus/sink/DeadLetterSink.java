package io.shardbus.sink;

import io.vertx.core.Future;
import java.util.List;

/** Keeps the events that the sink refuses for good. Safe for any thread; does not block. */
@FunctionalInterface
public interface DeadLetterSink {

  /**
   * Keeps events. After a failure it gets the same events again, and their shard waits. It must
   * ignore events that it has already.
   *
   * @param letters the events, at least one
   * @return completes when they are kept
   */
  Future<Void> add(List<DeadLetter> letters);
}
