package io.shardbus;

import io.vertx.core.Future;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Actions to run when a future completes. A future keeps each listener for as long as it lives, so
 * all actions for one future share one listener. Safe for any thread.
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
