package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.gateway.GatewayOptions;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigTest {

  @TempDir Path dir;

  private Path file(String text) throws Exception {
    return Files.writeString(dir.resolve("config.json"), text);
  }

  @Test
  void flags_winOverEnvironmentOverFileOverDefaults() throws Exception {
    Path file =
        file(
            "{\"bus\":{\"shards\":3,\"ringCapacity\":2048,\"batch\":{\"maxDelay\":\"3ms\"}},"
                + "\"gateway\":{\"port\":1}}");
    Config config =
        Config.load(
            file,
            Map.of("SHARDBUS_SHARDS", "4", "SHARDBUS_PORT", "2", "SHARDBUS_BATCH_MAX_DELAY", "4ms"),
            Map.of("gateway.port", 3));
    assertThat(config.bus().getRingCapacity()).isEqualTo(2048);
    assertThat(config.bus().getShards()).isEqualTo(4);
    assertThat(config.bus().getBatch().getMaxDelay()).isEqualTo(Duration.ofMillis(4));
    assertThat(config.gateway().getPort()).isEqualTo(3);
    assertThat(config.gateway().getHost()).isEqualTo("127.0.0.1");
    assertThat(config.bus().getDataDir()).isEqualTo("data");
  }

  @Test
  void logOfAServer_keepsSevenDaysUnlessToldOtherwise() throws Exception {
    assertThat(retention(Map.of())).isEqualTo("7d");
    assertThat(retention(Map.of("SHARDBUS_SINK_CONFIG", "{\"maxBytes\":1048576}"))).isEqualTo("7d");
    assertThat(retention(Map.of("SHARDBUS_SINK_CONFIG", "{\"retention\":\"0s\"}"))).isEqualTo("0s");
    assertThat(retention(Map.of("SHARDBUS_SINK", "memory"))).isNull();
  }

  private static String retention(Map<String, String> environment) {
    return Config.load(null, environment, Map.of())
        .bus()
        .getSink()
        .getConfig()
        .getString("retention");
  }

  @Test
  void environment_hasANameForEveryOption() {
    for (OptionPaths.Option option : Config.options().values()) {
      assertThat(option.environmentName()).matches("SHARDBUS_[A-Z][A-Z0-9_]+");
    }
    assertThat(Config.options().values().stream().map(OptionPaths.Option::environmentName))
        .doesNotHaveDuplicates()
        .contains(
            "SHARDBUS_SCALING_FILL_RATIO_THRESHOLD",
            "SHARDBUS_GATEWAY_HOST".replace("GATEWAY_", ""));
    Config config =
        Config.load(
            null,
            Map.of(
                "SHARDBUS_SCALING_MAX_SHARDS", "9",
                "SHARDBUS_DATA", "elsewhere",
                "SHARDBUS_SINK", "memory",
                "SHARDBUS_SINK_CONFIG", "{\"maxEvents\":5}",
                "SHARDBUS_INSECURE", "true",
                "SHARDBUS_COLOUR", "red"),
            Map.of());
    assertThat(config.bus().getScaling().getMaxShards()).isEqualTo(9);
    assertThat(config.bus().getDataDir()).isEqualTo("elsewhere");
    assertThat(config.bus().getSink().getName()).isEqualTo("memory");
    assertThat(config.bus().getSink().getConfig()).isEqualTo(new JsonObject().put("maxEvents", 5));
    assertThat(config.gateway().isInsecure()).isTrue();
    assertThat(config.ignored()).containsExactly("SHARDBUS_COLOUR");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{|config.json|not a JSON object",
        "[]|config.json|not a JSON object",
        "{\"buss\":{}}|buss|bus, gateway and cluster",
        "{\"bus\":[]}|bus|JSON object",
        "{\"bus\":{\"shard\":1}}|unknown option|shards",
        "{\"bus\":{\"batch\":{\"minSize\":-1}}}|batch.minSize|1 to 1000000",
        "{\"gateway\":{\"port\":70000}}|port|0 to 65535",
        "{\"gateway\":{\"token\":{\"ingest\":1.10}}}|token.ingest|must be text",
        "{\"gateway\":{\"host\":true}}|host|must be text",
        "{\"gateway\":{\"idleTimeout\":\"999999999999999d\"}}|idleTimeout|is not a duration",
        "{\"gateway\":{\"idleTimeout\":\"30s\"}}|ackTimeout: 1m|below idleTimeout, which is 30s",
        "{\"bus\":{\"batch\":{\"minSize\":10,\"maxSize\":5}}}|batch.minSize|at most",
        "{\"bus\":{\"delivery\":{\"initialBackoff\":\"20s\"}}}|initialBackoff: 20s|at most"
            + " delivery.maxBackoff, which is 5s"
      })
  void badFiles_areNamed(String text, String what, String allowed) throws Exception {
    Path file = file(text);
    assertThatThrownBy(() -> Config.load(file, Map.of(), Map.of()))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(what)
        .hasMessageContaining(allowed);
  }

  @Test
  void byteOrderMark_isSkipped() throws Exception {
    Config config = Config.load(file("\ufeff{\"bus\":{\"shards\":3}}"), Map.of(), Map.of());
    assertThat(config.bus().getShards()).isEqualTo(3);
  }

  /** For a service named shardbus it sets one that looks like the port. */
  @Test
  void linksOfKubernetes_areIgnored() {
    Config config =
        Config.load(
            null,
            Map.of("SHARDBUS_PORT", "tcp://10.0.0.1:8080", "SHARDBUS_SERVICE_HOST", "10.0.0.1"),
            Map.of());
    assertThat(config.gateway().getPort()).isEqualTo(new GatewayOptions().getPort());
    assertThat(config.ignored()).hasSize(2).first().asString().contains("Kubernetes");
  }

  @Test
  void badEnvironment_isNamed() {
    assertThatThrownBy(() -> Config.load(null, Map.of("SHARDBUS_PORT", "http"), Map.of()))
        .hasMessage("SHARDBUS_PORT: \"http\" must be a number");
    assertThatThrownBy(() -> Config.load(null, Map.of("SHARDBUS_INSECURE", "yes"), Map.of()))
        .hasMessageContaining("true or false");
    assertThatThrownBy(() -> Config.load(dir.resolve("none.json"), Map.of(), Map.of()))
        .hasMessageContaining("none.json cannot be read: it does not exist");
  }

  @Test
  void shippedConfiguration_isGood() {
    Config config = Config.load(Path.of("conf/shardbus.json"), Map.of(), Map.of());
    assertThat(config.bus().getScaling()).isNotNull();
    Config again = Config.load(null, Map.of(), Map.of());
    assertThat(new JsonObject(again.toJson().encode())).isEqualTo(again.toJson());
  }

  @Test
  void reference_hasEveryOption() throws Exception {
    String reference = Files.readString(Path.of("docs/operating.md"));
    for (OptionPaths.Option option : Config.options().values()) {
      assertThat(reference).contains("`" + option.path() + "`");
    }
  }

  @Test
  void workedExample_isGood() throws Exception {
    MatchResult example =
        Pattern.compile("```json\n(.*?)```", Pattern.DOTALL)
            .matcher(Files.readString(Path.of("docs/operating.md")))
            .results()
            .findFirst()
            .orElseThrow();
    Config config = Config.load(file(example.group(1)), Map.of(), Map.of());
    assertThat(config.bus().getRingCapacity()).isEqualTo(65_536);
    assertThat(config.bus().getMaxRingBytes()).isEqualTo(8 << 20);
  }

  @Test
  void generator_makesTheSameVariedEventsFromTheSameSeed() {
    EventGenerator one = new EventGenerator(5);
    EventGenerator two = new EventGenerator(5);
    int smallest = Integer.MAX_VALUE;
    int largest = 0;
    for (int i = 0; i < 20_000; i++) {
      String event = one.next();
      assertThat(event).isEqualTo(two.next()).doesNotContain("\n");
      int bytes = event.getBytes(StandardCharsets.UTF_8).length;
      smallest = Math.min(smallest, bytes);
      largest = Math.max(largest, bytes);
      if (i % 100 == 0) {
        assertThat(new JsonObject(event).getInteger("id")).isEqualTo(i);
      }
    }
    assertThat(smallest).isBetween(50, 100);
    assertThat(largest).isBetween(20_000, 100_000);
    assertThat(new EventGenerator(6).next()).isNotEqualTo(new EventGenerator(5).next());
  }
}
