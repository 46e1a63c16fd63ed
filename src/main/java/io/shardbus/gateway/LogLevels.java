package io.shardbus.gateway;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import io.shardbus.options.OptionalLibrary;
import io.vertx.core.internal.logging.Logger;
import java.util.List;
import java.util.Locale;
import org.slf4j.LoggerFactory;

/** How much the server's own classes log. Only Logback can change that while it runs. */
final class LogLevels {

  private static final Logger LOG =
      io.vertx.core.internal.logging.LoggerFactory.getLogger(LogLevels.class);
  private static final List<String> ALLOWED =
      List.of("trace", "debug", "info", "warn", "error", "off");
  private static final String LOGGER = "io.shardbus";

  private LogLevels() {}

  /** Whether the other methods may be called: an application may log by something else. */
  static boolean known() {
    return OptionalLibrary.isThere("ch.qos.logback.classic.LoggerContext")
        && LoggerFactory.getILoggerFactory() instanceof LoggerContext;
  }

  private static ch.qos.logback.classic.Logger logger() {
    return ((LoggerContext) LoggerFactory.getILoggerFactory()).getLogger(LOGGER);
  }

  static String level() {
    return logger().getEffectiveLevel().toString().toLowerCase(Locale.ROOT);
  }

  /** Throws {@link IllegalArgumentException} if there is no such level. */
  static void change(Object level) {
    if (!(level instanceof String name) || !ALLOWED.contains(name)) {
      throw new IllegalArgumentException(
          "level: " + level + " is unknown: allowed are " + String.join(", ", ALLOWED));
    }
    String before = level();
    logger().setLevel(Level.valueOf(name));
    LOG.info("log level changed from " + before + " to " + name);
  }
}
