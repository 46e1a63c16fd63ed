package io.shardbus;

import io.vertx.core.Future;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What is to be done when a future completes. A future keeps each of its listeners for as long as
 * it lives, so it gets one for all that is to be done. Safe for any thread.
 */
final class Cancellations {

  private final Map<Future<?>, Set<Runnable>> open = new WeakHashMap<>();

  /**
   * Runs an action when a future completes, or has completed, once or twice.
   *
   * @return forgets the action
   */
  Runnable on(Future<?> cancel, Runnable action) {
    Set<Runnable> actions = actions(cancel);
    actions.add(action);
    if (cancel.isComplete()) { // perhaps too late for the listener
      action.run();
    }
    return () -> actions.remove(action);
  }

  private synchronized Set<Runnable> actions(Future<?> cancel) {
    Set<Runnable> known = open.get(cancel);
    if (known != null) {
      return known;
    }
    Set<Runnable> fresh = ConcurrentHashMap.newKeySet();
    open.put(cancel, fresh);
    cancel.onComplete(done -> fresh.forEach(Runnable::run));
    return fresh;
  }
}
