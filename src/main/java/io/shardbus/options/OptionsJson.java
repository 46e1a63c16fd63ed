package io.shardbus.options;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.exc.InvalidNullException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.type.LogicalType;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads options from JSON and writes them, by their getters and setters. What it refuses it names:
 * the path of the option, what was wrong and what is allowed. Durations are text with a unit, such
 * as {@code "10ms"}.
 */
public final class OptionsJson {

  private OptionsJson() {}

  /**
   * Sets what the JSON names; the rest keeps its value.
   *
   * @param options an object with getters and setters
   * @param json the values. If there are none, Jackson databind is not needed
   * @param <T> the options' type
   * @return the same object
   * @throws IllegalArgumentException if a key is unknown, or a value is null, of the wrong type or
   *     out of range; or if Jackson databind is missing
   */
  public static <T> T read(T options, JsonObject json) {
    if (json.isEmpty()) {
      return options;
    }
    requireDatabind();
    return Databind.read(options, json);
  }

  /**
   * All values.
   *
   * @param options an object with getters and setters
   * @return the JSON that {@link #read} takes; options without a value are left out
   * @throws IllegalArgumentException if Jackson databind is missing
   */
  public static JsonObject write(Object options) {
    requireDatabind();
    return Databind.write(options);
  }

  private static void requireDatabind() {
    try {
      OptionalLibrary.require(
          "com.fasterxml.jackson.databind.ObjectMapper",
          "com.fasterxml.jackson.core:jackson-databind");
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("options: their JSON form " + e.getMessage(), e);
    }
  }

  /** Jackson databind is optional, so only this class may know it. */
  private static final class Databind {

    private static final ObjectMapper MAPPER =
        JsonMapper.builder()
            .addModule(types())
            .disable(com.fasterxml.jackson.databind.DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(com.fasterxml.jackson.databind.MapperFeature.ALLOW_COERCION_OF_SCALARS)
            // As text, a number could differ from what was written: 1.10 would become 1.1.
            .withCoercionConfig(
                LogicalType.Textual,
                text ->
                    text.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                        .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                        .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail))
            .enable(
                com.fasterxml.jackson.databind.DeserializationFeature.READ_ENUMS_USING_TO_STRING,
                com.fasterxml.jackson.databind.DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
            .enable(com.fasterxml.jackson.databind.SerializationFeature.WRITE_ENUMS_USING_TO_STRING)
            .defaultPropertyInclusion(
                JsonInclude.Value.construct(
                    JsonInclude.Include.NON_NULL, JsonInclude.Include.ALWAYS))
            // What has no value is left out, as in what is written.
            .defaultSetterInfo(JsonSetter.Value.forValueNulls(Nulls.FAIL))
            .build();

    static <T> T read(T options, JsonObject json) {
      try {
        return MAPPER.readerForUpdating(options).readValue(json.encode());
      } catch (UnrecognizedPropertyException e) {
        throw new IllegalArgumentException(
            "unknown option \""
                + path(e)
                + "\": allowed are "
                + (e.getKnownPropertyIds() == null
                    ? "none"
                    : e.getKnownPropertyIds().stream()
                        .map(Object::toString)
                        .sorted()
                        .collect(Collectors.joining(", "))));
      } catch (JsonMappingException e) {
        throw new IllegalArgumentException(named(path(e), reason(e, json)));
      } catch (IOException e) {
        throw new IllegalArgumentException("options: " + e.getMessage());
      }
    }

    static JsonObject write(Object options) {
      try {
        return new JsonObject(MAPPER.writeValueAsString(options));
      } catch (IOException e) {
        throw new IllegalArgumentException("options: " + e.getMessage());
      }
    }

    private static String path(JsonMappingException e) {
      return e.getPath().stream()
          .map(ref -> ref.getFieldName() == null ? "[" + ref.getIndex() + "]" : ref.getFieldName())
          .collect(Collectors.joining("."));
    }

    private static String reason(JsonMappingException e, JsonObject json) {
      Throwable cause = e;
      while (cause.getCause() != null && cause.getCause() != cause) {
        cause = cause.getCause();
      }
      if (cause instanceof InvalidNullException) {
        return "must not be null";
      }
      if (cause instanceof MismatchedInputException mismatch) {
        return mustBe(mismatch.getTargetType(), value(e, json));
      }
      return cause instanceof JsonProcessingException unread
          ? unread.getOriginalMessage()
          : String.valueOf(cause.getMessage());
    }

    /** A setter begins its refusal with the name of the option. */
    private static String named(String path, String reason) {
      int end = reason.indexOf(": ");
      return end > 0 && lastName(reason.substring(0, end)).equals(lastName(path))
          ? path + reason.substring(end)
          : "option \"" + path + "\": " + reason;
    }

    private static String lastName(String path) {
      return path.substring(path.lastIndexOf('.') + 1);
    }

    private static @Nullable Object value(JsonMappingException e, JsonObject json) {
      Object value = json;
      for (JsonMappingException.Reference ref : e.getPath()) {
        value = value instanceof JsonObject object ? object.getValue(ref.getFieldName()) : null;
      }
      return value;
    }

    /** Without what stands in place of text or an object, which may be a password. */
    private static String mustBe(Class<?> type, @Nullable Object value) {
      String is =
          value instanceof JsonObject || value instanceof JsonArray
              ? ""
              : ", is " + Json.encode(value);
      if (type == int.class || type == long.class) {
        return "must be a whole number" + is;
      }
      if (type == double.class) {
        return "must be a number" + is;
      }
      if (type == boolean.class) {
        return "must be true or false" + is;
      }
      if (type.isEnum()) {
        return "must be one of " + Arrays.toString(type.getEnumConstants()) + is;
      }
      boolean options =
          Arrays.stream(type.getMethods()).anyMatch(method -> method.getName().startsWith("set"));
      return options ? "must be a JSON object" : "must be text";
    }

    private interface Write<T> {
      void to(JsonGenerator out, T value) throws IOException;
    }

    private interface Read<T> {
      T from(JsonParser in) throws IOException;
    }

    private static <T> void teach(SimpleModule types, Class<T> type, Write<T> write, Read<T> read) {
      types.addSerializer(
          type,
          new JsonSerializer<>() {
            @Override
            public void serialize(T value, JsonGenerator out, SerializerProvider provider)
                throws IOException {
              write.to(out, value);
            }
          });
      types.addDeserializer(
          type,
          new JsonDeserializer<>() {
            @Override
            public T deserialize(JsonParser in, DeserializationContext context) throws IOException {
              return read.from(in);
            }
          });
    }

    private static SimpleModule types() {
      SimpleModule types = new SimpleModule();
      teach(
          types,
          Duration.class,
          (out, value) -> out.writeString(Durations.format(value)),
          in -> Durations.parse(in.getText()));
      teach(
          types,
          JsonObject.class,
          (out, value) -> out.writeRawValue(value.encode()),
          Databind::object);
      return types;
    }

    private static JsonObject object(JsonParser in) throws IOException {
      JsonNode node = in.readValueAsTree();
      if (!node.isObject()) {
        throw new IllegalArgumentException("must be a JSON object");
      }
      return new JsonObject(node.toString());
    }
  }
}
