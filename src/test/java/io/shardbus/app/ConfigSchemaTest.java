package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.json.schema.Draft;
import io.vertx.json.schema.JsonSchema;
import io.vertx.json.schema.JsonSchemaOptions;
import io.vertx.json.schema.OutputFormat;
import io.vertx.json.schema.OutputUnit;
import io.vertx.json.schema.Validator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigSchemaTest {

  private final JsonObject schema = new JsonObject(Config.schema());
  private final Validator validator =
      Validator.create(
          JsonSchema.of(schema),
          new JsonSchemaOptions()
              .setBaseUri("https://shardbus.example/")
              .setDraft(Draft.DRAFT202012)
              .setOutputFormat(OutputFormat.Basic));

  private void assertGood(JsonObject config) {
    OutputUnit result = validator.validate(config);
    assertThat(result.getValid()).as("%s: %s", config, result.getErrors()).isTrue();
  }

  @Test
  void shippedFileAndDefaults_areGood() throws Exception {
    assertGood(new JsonObject(Files.readString(Path.of("conf/shardbus.json"))));
    assertGood(new JsonObject());
    assertGood(Config.load(null, Map.of(), Map.of()).toJson());
    assertGood(Config.load(Path.of("conf/shardbus.json"), Map.of(), Map.of()).toJson());
  }

  @Test
  void fileThatNamesItsSchema_isGood(@TempDir Path dir) throws Exception {
    JsonObject config =
        new JsonObject("{\"$schema\":\"config.schema.json\",\"bus\":{\"shards\":3}}");
    assertGood(config);
    Path file = Files.writeString(dir.resolve("shardbus.json"), config.encode());
    assertThat(Config.load(file, Map.of(), Map.of()).bus().getShards()).isEqualTo(3);
  }

  @Test
  void schema_knowsTheOptionsThatThereAre() {
    Set<String> known = new TreeSet<>();
    collect("", schema, known);
    assertThat(known).isEqualTo(Config.options().keySet());
  }

  private static void collect(String path, JsonObject schema, Set<String> known) {
    JsonObject properties = schema.getJsonObject("properties");
    if (properties == null) {
      assertThat(schema.getString("description")).as(path).isNotBlank();
      known.add(path);
      return;
    }
    assertThat(schema.getBoolean("additionalProperties")).as(path).isFalse();
    for (String name : properties.fieldNames()) {
      if (name.equals("$schema")) {
        continue; // for editors
      }
      collect(path.isEmpty() ? name : path + "." + name, properties.getJsonObject(name), known);
    }
  }

  @Test
  void wrongTypes_areRefused() {
    for (String path : Config.options().keySet()) {
      JsonObject config = new JsonObject();
      JsonObject at = config;
      String[] names = path.split("\\.", -1);
      for (int i = 0; i < names.length - 1; i++) {
        at.put(names[i], new JsonObject());
        at = at.getJsonObject(names[i]);
      }
      at.put(names[names.length - 1], new JsonArray());
      assertThat(validator.validate(config).getValid()).as(path).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'buss':{}}",
        "{'bus':{'shard':1}}",
        "{'bus':{'batch':{'size':1}}}",
        "{'bus':{'scaling':{'max':1}}}",
        "{'gateway':{'tls':{'cert':'x'}}}",
        "{'bus':{'shards':0}}",
        "{'bus':{'backpressure':'drop'}}",
        "{'bus':{'closeTimeout':'30'}}",
        "{'gateway':{'port':70000}}",
        "{'gateway':{'token':{'read':'a b'}}}"
      })
  void badConfigurations_areRefused(String config) {
    assertThat(validator.validate(new JsonObject(config.replace('\'', '"'))).getValid()).isFalse();
  }
}
