package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.gateway.TestGateway.Answer;
import io.vertx.core.http.HttpMethod;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What pages that browsers show can do to a server. */
class OriginsTest {

  private static final String JSON = "application/json";
  private static final String PAGE = "https://app.example:8443";

  private TestGateway server;

  @AfterEach
  void tearDown() throws Exception {
    if (server != null) {
      server.close();
    }
  }

  /** A site can have its own name lead to the loopback: then its pages are of the same origin. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "10.0.0.1",
        "127.1"
      })
  void otherNames_areNotServedWithoutTokens(String host) throws Exception {
    server = new TestGateway(new GatewayOptions());
    for (String uri : List.of("/v1/events", "/v1/stats", "/", "/metrics", "/health/ready")) {
      Answer refused = server.get(uri, "Host", host, "Origin", "http://" + host);
      assertThat(refused.status()).as(uri).isEqualTo(403);
      assertThat(refused.detail()).contains("gateway.allowedOrigins");
    }
    assertThat(server.post("/v1/events", JSON, "1", "Host", host).status()).isEqualTo(403);
    assertThatThrownBy(() -> server.connect("/v1/ingest", List.of(), "Host", host))
        .cause()
        .hasMessageContaining("403");
    assertThat(server.bus.stats().offered()).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"localhost", "LocalHost:1", "127.0.0.1:8080", "127.8.9.10", "[::1]", "[::1]:8080"})
  void namesOfThisMachine_areServed(String host) throws Exception {
    server = new TestGateway(new GatewayOptions());
    assertThat(server.get("/v1/stats", "Host", host).status()).isEqualTo(200);
    assertThat(server.post("/v1/events", JSON, "1", "Host", host).status()).isEqualTo(202);
    assertThat(
            server.post("/v1/events", JSON, "1", "Host", host, "Origin", "http://" + host).status())
        .isEqualTo(202);
  }

  @Test
  void withTokens_anyNameIsServed() throws Exception {
    server = new TestGateway(new GatewayOptions().setToken(new TokenOptions().setRead("r")));
    assertThat(
            server.get("/v1/stats", "Host", "events.example", "Authorization", "Bearer r").status())
        .isEqualTo(200);
  }

  @Test
  void pagesOfOtherSites_areRefusedUnlessTheyAreNamed() throws Exception {
    server = new TestGateway(new GatewayOptions());
    assertThat(server.post("/v1/events", JSON, "1", "Origin", PAGE).status()).isEqualTo(403);
    assertThat(server.get("/v1/events", "Origin", PAGE).header("Access-Control-Allow-Origin"))
        .isNull();
    server.close();
    server =
        new TestGateway(new GatewayOptions().setAllowedOrigins("null, https://app.example:8443"));
    for (String origin : List.of(PAGE, "null")) {
      Answer taken = server.post("/v1/events", JSON, "1", "Origin", origin);
      assertThat(taken.status()).isEqualTo(202);
      assertThat(taken.header("Access-Control-Allow-Origin")).isEqualTo(origin);
      assertThat(taken.header("Vary")).isEqualToIgnoringCase("Origin");
      assertThat(taken.header("Access-Control-Expose-Headers").toLowerCase(Locale.ROOT).split(","))
          .containsExactlyInAnyOrder(
              "shardbus-cursor", "shardbus-more", "shardbus-missed", "retry-after");
      server.connect("/v1/ingest", List.of(Gateway.SUBPROTOCOL), "Origin", origin);
    }
    for (String other :
        List.of("https://app.example", "http://app.example:8443", "https://x.app.example:8443")) {
      assertThat(server.post("/v1/events", JSON, "1", "Origin", other).status())
          .as(other)
          .isEqualTo(403);
    }
    // Behind a proxy that passes the name on.
    assertThat(server.get("/v1/stats", "Host", "app.example:8443").status()).isEqualTo(200);
  }

  @Test
  void browsersThatAskFirst_areAnsweredWithoutAToken() throws Exception {
    server =
        new TestGateway(
            new GatewayOptions()
                .setAllowedOrigins(PAGE)
                .setToken(new TokenOptions().setIngest("i")));
    Map<String, String> ask =
        TestGateway.map("Origin", PAGE, "Access-Control-Request-Method", "POST");
    Answer may = server.send(HttpMethod.OPTIONS, "/v1/events", ask, null);
    assertThat(may.status()).isEqualTo(204);
    assertThat(may.header("Access-Control-Allow-Origin")).isEqualTo(PAGE);
    assertThat(may.header("Access-Control-Allow-Methods")).contains("POST");
    assertThat(may.header("Access-Control-Allow-Headers"))
        .contains("authorization")
        .contains("content-type")
        .contains("ce-id")
        .contains("traceparent");
    ask.put("Origin", "https://evil.example");
    assertThat(server.send(HttpMethod.OPTIONS, "/v1/events", ask, null).status()).isEqualTo(403);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"*", "app.example", "https://app.example/", "https://a b", "ftp://a", ","})
  void originsThatAreNone_areRefused(String origins) {
    assertThatThrownBy(() -> new GatewayOptions().setAllowedOrigins(origins))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("allowedOrigins");
  }
}
