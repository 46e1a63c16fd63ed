package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SecretsTest {

  @TempDir Path dir;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'password':'hush'}|{'password':'***'}",
        "{'token':'hush','x':1}|{'token':'***','x':1}",
        "{'a':{'clientSecret':'hush'}}|{'a':{'clientSecret':'***'}}",
        "{'ssl.key.password':['hush',12]}|{'ssl.key.password':['***','***']}",
        "{'token':{'read':'hush'}}|{'token':{'read':'***'}}",
        "{'sasl.jaas.config':'hush;'}|{'sasl.jaas.config':'***'}",
        "{'ssl.keystore.key':'hush'}|{'ssl.keystore.key':'***'}",
        "{'ssl.keystore.location':'/etc/k'}|{'ssl.keystore.location':'/etc/k'}",
        "{'c':'redis://me:hush@host:1/0'}|{'c':'redis://***@host:1/0'}",
        "{'c':'redis://me:hu@sh@host:1/0'}|{'c':'redis://***@host:1/0'}",
        "{'c':['nats://hush@a:1,nats://b:2']}|{'c':['nats://***@a:1,nats://b:2']}",
        "{'c':'redis://host/0?password=hush&a=1'}|{'c':'redis://host/0?password=***&a=1'}",
        "{'tokensFile':'/etc/t','key':'/etc/k','n':null}|{'tokensFile':'/etc/t','key':'/etc/k','n':null}"
      })
  void secrets_areHidden(String given, String shown) {
    assertThat(Secrets.masked(new JsonObject(given.replace('\'', '"'))).encode())
        .isEqualTo(shown.replace('\'', '"'));
  }

  @Test
  void errors_doNotRepeatThem() throws Exception {
    Path file =
        Files.writeString(dir.resolve("c.json"), "{\"gateway\":{\"token\":{\"read\":hush}}}");
    assertThatThrownBy(() -> Config.load(file, Map.of(), Map.of()))
        .hasMessageContaining("line 1, column ")
        .hasMessageNotContaining("hush");
    for (Map<String, String> environment :
        java.util.List.of(
            Map.of("SHARDBUS_SINK_CONFIG", "{\"password\":hush}"),
            Map.of("SHARDBUS_TOKEN_READ", "hush hush"))) {
      assertThatThrownBy(() -> Config.load(null, environment, Map.of()))
          .isInstanceOf(ConfigException.class)
          .hasMessageNotContaining("hush");
    }
  }

  @Test
  void environment_hasTokens() {
    Config config =
        Config.load(
            null,
            Map.of(
                "SHARDBUS_TOKENS_FILE", "/etc/tokens",
                "SHARDBUS_TOKEN_INGEST", "one",
                "SHARDBUS_TOKEN", "mine",
                "SHARDBUS_LOG_LEVEL", "DEBUG"),
            Map.of());
    assertThat(config.gateway().getTokensFile()).isEqualTo("/etc/tokens");
    assertThat(config.gateway().getToken().getIngest()).isEqualTo("one");
    assertThat(config.gateway().getToken().getRead()).isNull();
    assertThat(config.ignored()).isEmpty();
  }
}
