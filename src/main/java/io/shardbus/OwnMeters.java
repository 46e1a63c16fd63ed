package io.shardbus;

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
 * Adds meters to a registry, and removes them. A registry answers with the meter that it has if one
 * of the same name and tags is registered, and removes by name and tags: here a meter is only its
 * owner's. Safe for any thread.
 */
public final class OwnMeters {

  /** Between looking and adding, or removing, nobody else may add. */
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
