package io.shardbus.gateway;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/*
 * Ownership: each entry belongs to the event loop that added it, and ends there.
 *
 * Ordering: an entry is in the map before `closing` is read, and `closing` is written before the map is.
 *
 * Why it is safe: so an entry that comes while the server closes is seen by one of the two, or by both. To end is
 * allowed twice.
 */
/**
 * Requests that last. A stream may have no end of its own, a body may be under way, a client may
 * wait for the sink. They end when the server stops. Safe for any thread.
 */
final class Ongoing {

  /** What a stop of the server leaves to a client; less than what the stop waits. */
  static final Duration PATIENCE = Duration.ofSeconds(4);

  private final Map<Object, Runnable> open = new ConcurrentHashMap<>();
  private volatile boolean closing;

  /**
   * Adds one of the calling event loop.
   *
   * @param end ends it soon; called on that event loop, perhaps twice
   * @return forgets it
   */
  Runnable add(Vertx vertx, Runnable end) {
    Context context = vertx.getOrCreateContext();
    Runnable there = () -> context.runOnContext(now -> end.run());
    Object key = new Object();
    open.put(key, there);
    if (closing) {
      there.run();
    }
    return () -> open.remove(key);
  }

  /** Ends all of them. One that comes later ends at once. */
  void close() {
    closing = true;
    open.values().forEach(Runnable::run);
  }
}
