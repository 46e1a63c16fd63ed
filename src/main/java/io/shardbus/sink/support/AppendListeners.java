package io.shardbus.sink.support;

import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The listeners for new events. Safe for any thread. */
public final class AppendListeners {

  private static final Logger LOG = LoggerFactory.getLogger(AppendListeners.class);

  private final Set<Registration> registrations = ConcurrentHashMap.newKeySet();

  private record Registration(Object identity, Runnable listener) {}

  /** No listeners yet. */
  public AppendListeners() {}

  /**
   * Registers a listener.
   *
   * @param listener called when events were added
   * @return ends the registration; idempotent
   */
  public Runnable add(Runnable listener) {
    Registration registration = new Registration(new Object(), listener);
    registrations.add(registration);
    return () -> registrations.remove(registration);
  }

  /** Tells all listeners of new events. If one throws, the others are told all the same. */
  public void appended() {
    for (Registration registration : registrations) {
      try {
        registration.listener().run();
      } catch (Throwable e) {
        LOG.error("a listener to new events failed", e);
      }
    }
  }
}
