package io.shardbus.app;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.shardbus.ShardBusOptions;
import io.shardbus.files.FileFault;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.sink.SinkOptions;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of the server: defaults, then the file, then the environment, then the flags.
 *
 * @param bus the section {@code bus}
 * @param gateway the section {@code gateway}
 * @param cluster the section {@code cluster}
 * @param ignored environment variables that look like options but are not
 */
record Config(
    ShardBusOptions bus, GatewayOptions gateway, ClusterOptions cluster, List<String> ignored) {

  private static final Map<String, Class<?>> SECTIONS =
      Map.of(
          "bus", ShardBusOptions.class,
          "gateway", GatewayOptions.class,
          "cluster", ClusterOptions.class);

  /** Short names for options that have a flag. */
  private static final Map<String, String> ALIASES =
      Map.of("SHARDBUS_DATA", "bus.dataDir", "SHARDBUS_SINK", "bus.sink.name");

  /** Where editors look for the schema of a file. */
  private static final String SCHEMA_KEY = "$schema";

  /** How long the log of a server keeps events if nobody says. As long as Kafka. */
  private static final String RETENTION = "7d";

  private static final String CONFIG_VARIABLE = "SHARDBUS_CONFIG";

  /** Variables that are no options, but have a meaning. */
  private static final Set<String> OTHERS =
      Set.of(
          CONFIG_VARIABLE,
          "SHARDBUS_CACHE", // of the launcher, as the next
          "SHARDBUS_JAVA_OPTIONS",
          "SHARDBUS_LOG_LEVEL",
          ServerUrl.TOKEN_VARIABLE,
          ServerUrl.URL_VARIABLE);

  static Map<String, OptionPaths.Option> options() {
    return OptionPaths.of(SECTIONS);
  }

  /**
   * @param file null for the file of the environment, or for none
   * @param flags values by path
   */
  static Config load(
      @Nullable Path file, Map<String, String> environment, Map<String, Object> flags) {
    String named = environment.get(CONFIG_VARIABLE);
    Path source = file != null ? file : named != null ? Path.of(named) : null;
    JsonObject json = source == null ? new JsonObject() : read(source);
    String where = source == null ? "" : source + ": ";
    List<String> ignored = new ArrayList<>();
    // The file is checked on its own, so that an error names the file.
    parse(json, where, Config::withDefaults);
    applyEnvironment(json, environment, ignored);
    flags.forEach((path, value) -> put(json, path, value));
    return parse(
        json,
        "",
        checked -> {
          Config config = withDefaults(checked);
          config.bus().validate();
          config.gateway().validate();
          config.cluster().validate();
          return new Config(config.bus(), config.gateway(), config.cluster(), ignored);
        });
  }

  private static Config withDefaults(JsonObject json) {
    for (String section : json.fieldNames()) {
      if (!SECTIONS.containsKey(section) && !section.equals(SCHEMA_KEY)) {
        throw new IllegalArgumentException(
            "unknown section \"" + section + "\": allowed are bus, gateway and cluster");
      }
    }
    JsonObject section = new JsonObject().put("dataDir", "data");
    ShardBusOptions bus =
        read("bus", section.mergeIn(section(json, "bus"), true), ShardBusOptions::new);
    SinkOptions sink = bus.getSink();
    if (sink.getName().equals("log")) { // an embedded log deletes nothing unless it is told to
      sink.setConfig(new JsonObject().put("retention", RETENTION).mergeIn(sink.getConfig()));
    }
    return new Config(
        bus,
        read("gateway", section(json, "gateway"), GatewayOptions::new),
        read("cluster", section(json, "cluster"), ClusterOptions::new),
        List.of());
  }

  private static <T> T read(String name, JsonObject section, Function<JsonObject, T> reader) {
    try {
      return reader.apply(section);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("section \"" + name + "\": " + e.getMessage(), e);
    }
  }

  private static JsonObject section(JsonObject json, String name) {
    Object value = json.getValue(name, new JsonObject());
    if (value instanceof JsonObject object) {
      return object;
    }
    throw new IllegalArgumentException("section \"" + name + "\" must be a JSON object");
  }

  private static <T> T parse(JsonObject json, String where, Function<JsonObject, T> reader) {
    try {
      return reader.apply(json);
    } catch (IllegalArgumentException | io.shardbus.shard.ScalingException e) {
      throw new ConfigException(where + e.getMessage());
    }
  }

  private static JsonObject read(Path file) {
    try {
      // Some editors write a byte-order mark.
      return new JsonObject(Files.readString(file).replaceFirst("^\ufeff", ""));
    } catch (IOException e) {
      throw new ConfigException(Failures.describe(FileFault.of(file + " cannot be read", e)));
    } catch (DecodeException | ClassCastException e) {
      throw new ConfigException(file + ": not a JSON object" + where(e));
    }
  }

  private static void applyEnvironment(
      JsonObject json, Map<String, String> environment, List<String> ignored) {
    Map<String, OptionPaths.Option> all = options();
    Map<String, OptionPaths.Option> byName = new HashMap<>();
    all.values().forEach(option -> byName.put(option.environmentName(), option));
    ALIASES.forEach((name, path) -> byName.put(name, all.get(path)));
    new TreeMap<>(environment)
        .forEach(
            (name, text) -> {
              OptionPaths.Option option = byName.get(name);
              if (name.equals("SHARDBUS_PORT") && text.startsWith("tcp://")) {
                ignored.add(name + ", which Kubernetes sets for a service named shardbus,");
              } else if (option != null) {
                put(json, option.path(), value(name, text, option.type()));
              } else if (name.startsWith("SHARDBUS_") && !OTHERS.contains(name)) {
                ignored.add(name);
              }
            });
  }

  private static Object value(String name, String text, Class<?> type) {
    try {
      if (type == int.class || type == long.class) {
        return Long.parseLong(text);
      }
      if (type == double.class) {
        return Double.parseDouble(text);
      }
      if (type == boolean.class) {
        if (!text.equals("true") && !text.equals("false")) {
          throw new IllegalArgumentException("must be true or false");
        }
        return Boolean.parseBoolean(text);
      }
      return type == JsonObject.class ? object(name, text) : text;
    } catch (NumberFormatException e) {
      throw new ConfigException(name + ": \"" + text + "\" must be a number");
    } catch (IllegalArgumentException e) {
      throw new ConfigException(name + ": \"" + text + "\" " + e.getMessage());
    }
  }

  private static JsonObject object(String name, String text) {
    try {
      return new JsonObject(text);
    } catch (DecodeException | ClassCastException e) {
      throw new ConfigException(name + ": must be a JSON object" + where(e));
    }
  }

  /** The message of the parser can contain a piece of the text, which may be a password. */
  private static String where(RuntimeException e) {
    return e.getCause() instanceof JsonProcessingException parse && parse.getLocation() != null
        ? ": line "
            + parse.getLocation().getLineNr()
            + ", column "
            + parse.getLocation().getColumnNr()
        : "";
  }

  private static void put(JsonObject json, String path, Object value) {
    JsonObject at = json;
    String[] names = path.split("\\.", -1);
    for (int i = 0; i < names.length - 1; i++) {
      if (!(at.getValue(names[i]) instanceof JsonObject)) {
        at.put(names[i], new JsonObject());
      }
      at = at.getJsonObject(names[i]);
    }
    at.put(names[names.length - 1], value);
  }

  /** The JSON schema of the file. */
  static String schema() {
    try (InputStream in = Config.class.getResourceAsStream("config.schema.json")) {
      if (in == null) {
        throw new IllegalStateException("config.schema.json is not on the class path");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  JsonObject toJson() {
    return new JsonObject()
        .put("bus", bus.toJson())
        .put("gateway", gateway.toJson())
        .put("cluster", cluster.toJson());
  }
}
