package io.shardbus.metrics;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Adds meters to a registry, and removes only these. A registry returns an existing meter of the
 * same name and tags, and removes by name and tags; this class keeps the meters of different owners
 * apart. Safe for any thread.
 */
public final class OwnMeters {

  /** No other thread may add a meter between the look and the addition or removal. */
  private static final Object LOCK = new Object();

  private OwnMeters() {}

  /**
   * Adds all of some meters, or none.
   *
   * @param registry to which they are added
   * @param advice what to do if the registry has one of them, for the error
   * @param register registers them at the registry, and hands on what that returns
   * @return what takes them out again
   * @throws IllegalStateException if the registry has a meter of one's name and tags already
   */
  public static Runnable add(
      MeterRegistry registry, String advice, Consumer<Consumer<Meter>> register) {
    List<Meter> own = new ArrayList<>();
    synchronized (LOCK) {
      Set<Meter> before = meters(registry);
      try {
        register.accept(
            meter -> {
              if (before.contains(meter)) {
                throw new IllegalStateException(
                    "the registry has a meter " + meter.getId() + " already: " + advice);
              }
              own.add(meter);
            });
      } catch (RuntimeException e) {
        remove(registry, own);
        throw e;
      }
    }
    return () -> remove(registry, own);
  }

  /**
   * Removes meters. Those of the same names and tags that others have registered since stay.
   *
   * @param registry to which they were added
   * @param own the meters
   */
  static void remove(MeterRegistry registry, Collection<Meter> own) {
    synchronized (LOCK) {
      Set<Meter> present = meters(registry);
      own.stream().filter(present::contains).forEach(registry::remove);
    }
  }

  /** By identity: meters of the same name and tags are equal. */
  private static Set<Meter> meters(MeterRegistry registry) {
    Set<Meter> all = Collections.newSetFromMap(new IdentityHashMap<>());
    all.addAll(registry.getMeters());
    return all;
  }
}
