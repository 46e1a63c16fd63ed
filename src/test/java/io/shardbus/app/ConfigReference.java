package io.shardbus.app;

import com.fasterxml.classmate.ResolvedType;
import com.github.victools.jsonschema.generator.CustomDefinition;
import com.github.victools.jsonschema.generator.FieldScope;
import com.github.victools.jsonschema.generator.Option;
import com.github.victools.jsonschema.generator.OptionPreset;
import com.github.victools.jsonschema.generator.SchemaGenerationContext;
import com.github.victools.jsonschema.generator.SchemaGenerator;
import com.github.victools.jsonschema.generator.SchemaGeneratorConfigBuilder;
import com.github.victools.jsonschema.generator.SchemaKeyword.SchemaType;
import com.github.victools.jsonschema.generator.SchemaVersion;
import io.shardbus.ShardBusOptions;
import io.shardbus.eventbus.EventBusPublisherOptions;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsJson;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.sink.eventbus.EventBusSinkOptions;
import io.shardbus.sink.file.FileSinkOptions;
import io.shardbus.sink.http.HttpSinkOptions;
import io.shardbus.sink.jetstream.JetStreamSinkOptions;
import io.shardbus.sink.kafka.KafkaSinkOptions;
import io.shardbus.sink.log.LogSinkOptions;
import io.shardbus.sink.memory.MemorySinkOptions;
import io.shardbus.sink.redis.RedisSinkOptions;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.node.ObjectNode;

/** Makes the schema of the configuration, and the tables in the documents, from the options. */
final class ConfigReference {

  private static final Map<Class<?>, SchemaType> PLAIN =
      Map.of(
          Duration.class, SchemaType.STRING,
          BackpressureMode.class, SchemaType.STRING,
          JsonObject.class, SchemaType.OBJECT);

  private static final String DURATION = "^([0-9]+ *(ns|us|ms|s|m|h|d)|P.+)$";

  private static final Map<String, Class<?>> SINKS =
      new TreeMap<>(
          Map.of(
              "log", LogSinkOptions.class,
              "memory", MemorySinkOptions.class,
              "file", FileSinkOptions.class,
              "http", HttpSinkOptions.class,
              "redis", RedisSinkOptions.class,
              "jetstream", JetStreamSinkOptions.class,
              "kafka", KafkaSinkOptions.class,
              "eventbus", EventBusSinkOptions.class));

  /** A table begins with a comment that names it; the option's path is what stands before. */
  private static final Pattern TABLE =
      Pattern.compile(
          "(<!-- options of ([a-z ]+) -->\n).*?(<!-- end of options -->)", Pattern.DOTALL);

  private ConfigReference() {}

  static String schema() {
    SchemaGenerator generator = generator();
    JsonObject bus = schema(generator, ShardBusOptions.class);
    JsonArray sinks = new JsonArray();
    SINKS.forEach(
        (name, options) ->
            sinks.add(
                new JsonObject()
                    .put("if", named(name))
                    .put(
                        "then",
                        properties(new JsonObject().put("config", schema(generator, options))))));
    JsonObject sink = bus.getJsonObject("properties").getJsonObject("sink");
    sink.put("allOf", sinks);
    // The schema of each sink says what is allowed there.
    sink.getJsonObject("properties").getJsonObject("config").remove("additionalProperties");
    return new JsonObject()
            .put("$schema", "https://json-schema.org/draft/2020-12/schema")
            .put("title", "Configuration of a Shardbus server")
            .put("type", "object")
            .put("additionalProperties", false)
            .put(
                "properties",
                new JsonObject()
                    .put(
                        "$schema",
                        new JsonObject()
                            .put(
                                "description",
                                "where editors find this schema; the server does not look at it")
                            .put("type", "string"))
                    .put("bus", bus)
                    .put("gateway", schema(generator, GatewayOptions.class))
                    .put("cluster", schema(generator, ClusterOptions.class)))
            .encodePrettily()
        + "\n";
  }

  private static JsonObject named(String sink) {
    JsonObject is = properties(new JsonObject().put("name", new JsonObject().put("const", sink)));
    // the one that is used if none is named
    return sink.equals("log") ? is : is.put("required", new JsonArray().add("name"));
  }

  private static JsonObject properties(JsonObject properties) {
    return new JsonObject().put("properties", properties);
  }

  private static JsonObject schema(SchemaGenerator generator, Class<?> options) {
    return new JsonObject(generator.generateSchema(options).toString());
  }

  private static SchemaGenerator generator() {
    SchemaGeneratorConfigBuilder builder =
        new SchemaGeneratorConfigBuilder(SchemaVersion.DRAFT_2020_12, OptionPreset.PLAIN_JSON)
            .with(Option.INLINE_ALL_SCHEMAS, Option.FORBIDDEN_ADDITIONAL_PROPERTIES_BY_DEFAULT)
            .without(Option.SCHEMA_VERSION_INDICATOR);
    builder
        .forTypesInGeneral()
        .withPropertySorter((unusedOne, unusedOther) -> 0) // as they are declared
        .withCustomDefinitionProvider(ConfigReference::plain);
    builder
        .forFields()
        .withDescriptionResolver(ConfigReference::description)
        .withDefaultResolver(ConfigReference::byDefault)
        .withStringMinLengthResolver(
            field ->
                is(field, String.class) ? value(field, OptionSpec::min, Integer::valueOf) : null)
        .withStringPatternResolver(
            field ->
                is(field, Duration.class)
                    ? DURATION
                    : value(field, OptionSpec::pattern, text -> "^(" + text + ")$"))
        .withNumberInclusiveMinimumResolver(
            field -> isNumber(field) ? value(field, OptionSpec::min, BigDecimal::new) : null)
        .withNumberExclusiveMinimumResolver(
            field -> isNumber(field) ? value(field, OptionSpec::above, BigDecimal::new) : null)
        .withNumberInclusiveMaximumResolver(
            field -> isNumber(field) ? value(field, OptionSpec::max, BigDecimal::new) : null);
    return new SchemaGenerator(builder.build());
  }

  /** Not by their fields. */
  private static CustomDefinition plain(ResolvedType type, SchemaGenerationContext context) {
    SchemaType plain = PLAIN.get(type.getErasedType());
    if (plain == null) {
      return null;
    }
    ObjectNode node = context.getGeneratorConfig().createObjectNode();
    node.put("type", plain.getSchemaKeywordValue());
    return new CustomDefinition(
        node, CustomDefinition.DefinitionType.INLINE, CustomDefinition.AttributeInclusion.YES);
  }

  private static boolean is(FieldScope field, Class<?> type) {
    return field.getType().getErasedType() == type;
  }

  private static boolean isNumber(FieldScope field) {
    return field.getType().getErasedType().isPrimitive() && !is(field, boolean.class);
  }

  private static OptionSpec spec(FieldScope field) {
    return spec(field.getDeclaringType().getErasedType(), field.getName());
  }

  private static OptionSpec spec(Class<?> options, String name) {
    OptionSpec spec = OptionRanges.specs(options).get(name);
    if (spec == null) {
      throw new AssertionError(options + " has no spec of " + name);
    }
    return spec;
  }

  private static <T> T value(
      FieldScope field, Function<OptionSpec, String> which, Function<String, T> parse) {
    String text = which.apply(spec(field));
    return text.isEmpty() ? null : parse.apply(text);
  }

  /** With the range if the schema cannot check it. */
  private static String description(FieldScope field) {
    OptionSpec spec = spec(field);
    String range = OptionRanges.range(spec, field.getType().getErasedType());
    boolean told = is(field, Duration.class) || !spec.allowed().isEmpty();
    return (spec.value() + (told ? " (" + range + ")" : "")).replace("`", "");
  }

  private static Object byDefault(FieldScope field) {
    if (!spec(field).unset().isEmpty()) {
      return null;
    }
    Object value = defaults(field.getDeclaringType().getErasedType()).getValue(field.getName());
    return value instanceof JsonObject ? null : value;
  }

  private static JsonObject defaults(Class<?> options) {
    try {
      return OptionsJson.write(options.getConstructor().newInstance());
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(e.getMessage(), e);
    }
  }

  /** The document with its tables made anew. */
  static String withTables(String document) {
    Matcher tables = TABLE.matcher(document);
    return tables.replaceAll(
        table -> {
          StringBuilder rows =
              new StringBuilder("\n| option | meaning | default | range |\n|---|---|---|---|\n");
          String what = table.group(2);
          switch (what) {
            case "bus" -> rows("bus.", ShardBusOptions.class, rows);
            case "gateway" -> rows("gateway.", GatewayOptions.class, rows);
            case "cluster" -> rows("cluster.", ClusterOptions.class, rows);
            case "publisher" -> rows("", EventBusPublisherOptions.class, rows);
            default -> rows("", SINKS.get(what.substring("sink ".length())), rows);
          }
          return Matcher.quoteReplacement(table.group(1) + rows + "\n" + table.group(3));
        });
  }

  private static void rows(String prefix, Class<?> options, StringBuilder rows) {
    JsonObject defaults = defaults(options);
    for (Field field : options.getDeclaredFields()) {
      if (Modifier.isStatic(field.getModifiers()) || field.isSynthetic()) {
        continue;
      }
      OptionSpec spec = spec(options, field.getName());
      if (!OptionRanges.specs(field.getType()).isEmpty()) {
        rows(prefix + field.getName() + ".", field.getType(), rows);
        continue;
      }
      Object value = defaults.getValue(field.getName());
      String shown =
          !spec.unset().isEmpty()
              ? spec.unset()
              : value == null
                  ? "none"
                  : value instanceof Number || value instanceof Boolean
                      ? value.toString()
                      : "`" + value + "`";
      rows.append(
          String.format(
              "| `%s%s` | %s | %s | %s |\n",
              prefix,
              field.getName(),
              spec.value(),
              shown,
              OptionRanges.range(spec, field.getType())));
    }
  }

  /** The names of the tables that a document has. */
  static List<String> tablesIn(String document) {
    return TABLE.matcher(document).results().map(table -> table.group(2)).toList();
  }

  /** The names of all tables. */
  static List<String> tables() {
    List<String> all = new ArrayList<>(List.of("bus", "gateway", "cluster", "publisher"));
    SINKS.keySet().forEach(sink -> all.add("sink " + sink));
    return all;
  }
}
