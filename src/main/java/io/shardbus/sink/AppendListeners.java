package io.shardbus.sink;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Those who asked to be told of new events. Safe for any thread. */
public final class AppendListeners {

  private static final Logger LOG = LoggerFactory.getLogger(AppendListeners.class);

  private final Set<Registration> registrations = ConcurrentHashMap.newKeySet();

  private record Registration(Object identity, Runnable listener) {}

  /** Nobody yet. */
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

  /** Tells all of new events. One that throws keeps nobody from being told. */
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
