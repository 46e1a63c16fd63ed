package io.shardbus.sink;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.TreeSet;

/**
 * Finds the sinks, with the class loader of Shardbus and with that of the calling thread's context.
 */
public final class Sinks {

  private Sinks() {}

  /**
   * Makes the sink that the options name.
   *
   * @param options which sink, and its options
   * @return the sink, not opened yet
   * @throws IllegalArgumentException if there is no such sink, its options are bad, or a provider
   *     cannot be loaded
   */
  public static Sink create(SinkOptions options) {
    List<SinkProvider> found = new ArrayList<>();
    TreeSet<String> names = new TreeSet<>();
    for (SinkProvider provider : providers()) {
      names.add(provider.name());
      if (provider.name().equals(options.getName())) {
        found.add(provider);
      }
    }
    if (found.isEmpty()) {
      throw new IllegalArgumentException(
          "sink: \"" + options.getName() + "\" is unknown, there are " + String.join(", ", names));
    }
    if (found.size() > 1) {
      throw new IllegalArgumentException(
          "sink: \"" + options.getName() + "\" is offered by more than one provider: " + found);
    }
    try {
      return found.get(0).create(options.getConfig());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("sink " + options.getName() + ": " + e.getMessage(), e);
    }
  }

  private static List<SinkProvider> providers() {
    Map<Class<?>, SinkProvider> found = new LinkedHashMap<>();
    try {
      ServiceLoader.load(SinkProvider.class, Sinks.class.getClassLoader())
          .forEach(provider -> found.put(provider.getClass(), provider));
      ServiceLoader.load(SinkProvider.class)
          .forEach(provider -> found.putIfAbsent(provider.getClass(), provider));
    } catch (ServiceConfigurationError e) {
      throw new IllegalArgumentException("sink: a provider cannot be loaded: " + e.getMessage(), e);
    }
    return List.copyOf(found.values());
  }
}
