package io.shardbus.app;

import io.vertx.core.json.JsonObject;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * All options by their path in the configuration. The getters of the options classes define them.
 */
final class OptionPaths {

  /**
   * An option.
   *
   * @param path its path in the configuration, such as {@code bus.batch.maxDelay}
   * @param type its Java type
   */
  record Option(String path, Class<?> type) {

    /**
     * {@code bus.batch.maxDelay} is {@code SHARDBUS_BATCH_MAX_DELAY}, but {@code cluster.host} is
     * {@code SHARDBUS_CLUSTER_HOST}: the gateway has a host, too.
     */
    String environmentName() {
      String inner = path.startsWith("cluster.") ? path : path.substring(path.indexOf('.') + 1);
      return "SHARDBUS_"
          + inner
              .replace('.', '_')
              .replaceAll("([a-z0-9])([A-Z])", "$1_$2")
              .toUpperCase(Locale.ROOT);
    }
  }

  private OptionPaths() {}

  /** By path, of the sections that are given with their classes. */
  static Map<String, Option> of(Map<String, Class<?>> sections) {
    Map<String, Option> all = new TreeMap<>();
    sections.forEach((name, type) -> collect(name, type, all));
    return all;
  }

  private static void collect(String prefix, Class<?> type, Map<String, Option> all) {
    for (Method getter :
        Arrays.stream(type.getMethods())
            .filter(m -> m.getParameterCount() == 0 && m.getName().matches("(get|is)[A-Z].*"))
            .filter(m -> m.getDeclaringClass() != Object.class)
            .sorted(Comparator.comparing(Method::getName))
            .toList()) {
      String property = getter.getName().replaceFirst("^(get|is)", "");
      String path =
          prefix + '.' + property.substring(0, 1).toLowerCase(Locale.ROOT) + property.substring(1);
      Class<?> value = getter.getReturnType();
      boolean nested =
          value.getName().startsWith("io.shardbus.")
              && Arrays.stream(value.getMethods()).anyMatch(m -> m.getName().startsWith("set"));
      if (nested && value != JsonObject.class) {
        collect(path, value, all);
      } else {
        all.put(path, new Option(path, value));
      }
    }
  }
}
