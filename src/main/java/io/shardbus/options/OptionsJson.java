package io.shardbus.options;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdScalarSerializer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.time.Duration;
import java.util.stream.Collectors;

/**
 * Reads options from JSON and writes them, by their getters and setters. What it refuses it names:
 * the path of the option, what was wrong and what is allowed. Durations are text with a unit, such
 * as {@code "10ms"}.
 */
public final class OptionsJson {

  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .addModule(
              new SimpleModule()
                  .addSerializer(Duration.class, new DurationWriter())
                  .addDeserializer(Duration.class, new DurationReader())
                  .addSerializer(JsonObject.class, new JsonObjectWriter())
                  .addDeserializer(JsonObject.class, new JsonObjectReader()))
          .enable(com.fasterxml.jackson.databind.DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .disable(com.fasterxml.jackson.databind.DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(com.fasterxml.jackson.databind.MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .defaultPropertyInclusion(
              JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.ALWAYS))
          .build();

  private OptionsJson() {}

  /**
   * Sets what the JSON names; the rest keeps its value.
   *
   * @param options an object with getters and setters
   * @param json the values
   * @param <T> the options' type
   * @return the same object
   * @throws IllegalArgumentException if a key is unknown, or a value is of the wrong type or out of
   *     range
   */
  public static <T> T read(T options, JsonObject json) {
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
      throw new IllegalArgumentException("option \"" + path(e) + "\": " + reason(e));
    } catch (IOException e) {
      throw new IllegalArgumentException("options: " + e.getMessage());
    }
  }

  /**
   * All values.
   *
   * @param options an object with getters and setters
   * @return the JSON that {@link #read} takes; options without a value are left out
   */
  public static JsonObject write(Object options) {
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

  private static String reason(JsonMappingException e) {
    Throwable cause = e;
    while (cause.getCause() != null && cause.getCause() != cause) {
      cause = cause.getCause();
    }
    return cause instanceof JsonMappingException mapping
        ? mapping.getOriginalMessage()
        : String.valueOf(cause.getMessage());
  }

  private static final class DurationWriter extends StdScalarSerializer<Duration> {

    private static final long serialVersionUID = 1L;

    DurationWriter() {
      super(Duration.class);
    }

    @Override
    public void serialize(Duration value, JsonGenerator out, SerializerProvider provider)
        throws IOException {
      out.writeString(Durations.format(value));
    }
  }

  private static final class DurationReader extends StdScalarDeserializer<Duration> {

    private static final long serialVersionUID = 1L;

    DurationReader() {
      super(Duration.class);
    }

    @Override
    public Duration deserialize(JsonParser in, DeserializationContext context) throws IOException {
      return Durations.parse(in.getText());
    }
  }

  private static final class JsonObjectWriter extends StdScalarSerializer<JsonObject> {

    private static final long serialVersionUID = 1L;

    JsonObjectWriter() {
      super(JsonObject.class);
    }

    @Override
    public void serialize(JsonObject value, JsonGenerator out, SerializerProvider provider)
        throws IOException {
      out.writeRawValue(value.encode());
    }
  }

  private static final class JsonObjectReader extends StdScalarDeserializer<JsonObject> {

    private static final long serialVersionUID = 1L;

    JsonObjectReader() {
      super(JsonObject.class);
    }

    @Override
    public JsonObject deserialize(JsonParser in, DeserializationContext context)
        throws IOException {
      JsonNode node = in.readValueAsTree();
      if (!node.isObject()) {
        throw new IllegalArgumentException(
            "must be a JSON object, is " + new JsonArray().add(node.toString()).getString(0));
      }
      return new JsonObject(node.toString());
    }
  }
}
