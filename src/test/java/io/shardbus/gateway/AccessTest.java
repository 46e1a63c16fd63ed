package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.gateway.TestGateway.Answer;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.UpgradeRejectedException;
import io.vertx.core.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("once")
class AccessTest {

  private static final String JSON = "application/json";

  @TempDir Path dir;
  private TestGateway server;

  @AfterEach
  void tearDown() throws Exception {
    if (server != null) {
      server.close();
    }
  }

  /** At once: whoever looks meanwhile must not find half of it. */
  private Path file(String text) throws Exception {
    Path next = Files.writeString(dir.resolve("next"), text);
    return Files.move(next, dir.resolve("tokens"), StandardCopyOption.ATOMIC_MOVE);
  }

  private void start() throws Exception {
    Path file =
        file(
            """
            \ufeff# roles, then the token

            ingest i-1
            read r-1
            admin a-1
            ingest,read,admin all-1
            """);
    server = new TestGateway(new GatewayOptions().setTokensFile(file.toString()));
  }

  private static String[] bearer(String token) {
    return new String[] {"Authorization", "Bearer " + token};
  }

  @ParameterizedTest
  @CsvSource({
    "POST,/v1/events,i-1",
    "GET,/v1/events,r-1",
    "GET,/v1/tail?cursor=bad,r-1",
    "GET,/v1/stats,r-1",
    "GET,/v1/stats,a-1",
    "GET,/v1/history,r-1",
    "GET,/v1/history,a-1",
    "GET,/v1/shards,r-1",
    "GET,/v1/shards,a-1",
    "POST,/v1/shards,a-1",
    "DELETE,/v1/shards/77,a-1",
    "GET,/v1/dead-letters,r-1",
    "POST,/v1/dead-letters/replay,a-1",
    "DELETE,/v1/dead-letters/77,a-1",
    "DELETE,/v1/dead-letters,a-1"
  })
  void route_isOpenToItsRolesOnly(String method, String uri, String allowed) throws Exception {
    start();
    HttpMethod verb = HttpMethod.valueOf(method);
    Answer none = server.send(verb, uri, Map.of(), null);
    assertThat(none.status()).isEqualTo(401);
    assertThat(none.header("WWW-Authenticate")).startsWith("Bearer realm=");
    assertThat(none.header("Content-Type")).isEqualTo("application/problem+json");
    Answer unknown = server.send(verb, uri, TestGateway.map(bearer("nobody")), null);
    assertThat(unknown.status()).isEqualTo(401);
    assertThat(unknown.header("WWW-Authenticate")).contains("invalid_token");
    assertThat(unknown.body()).doesNotContain("nobody");
    for (String good : List.of(allowed, "all-1")) {
      assertThat(server.send(verb, uri, TestGateway.map(bearer(good)), null).status())
          .isNotIn(401, 403, 500);
    }
    String wrong = allowed.equals("i-1") ? "a-1" : "i-1";
    Answer forbidden = server.send(verb, uri, TestGateway.map(bearer(wrong)), null);
    assertThat(forbidden.status()).isEqualTo(403);
    assertThat(forbidden.header("WWW-Authenticate")).contains("insufficient_scope");
    assertThat(forbidden.detail()).contains("role");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/health/live", "/health/ready"})
  void healthAndPages_needNoToken(String uri) throws Exception {
    start();
    assertThat(server.get(uri).status()).isEqualTo(200);
  }

  /** However it is written, it is the same route, or none. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "/v1/events",
        "//v1/events",
        "/v1//events",
        "/v1/./events",
        "/v1/x/../events",
        "/v1/events/",
        "/v1/events//",
        "/v1/events/.",
        "/v1/events/x/..",
        "/v1/events/%2e",
        "/v1/events%2F",
        "/v1/events;a=b",
        "/v1/events/?limit=1",
        "/v1/events%3F",
        "/v1/events%00",
        "/%761/events",
        "/console/../v1/events",
        "/console/%2e%2e/v1/events",
        "/v1/events?token=r-1",
        "/V1/EVENTS"
      })
  void spellings_openNoDoor(String uri) throws Exception {
    start();
    for (HttpMethod method : List.of(HttpMethod.GET, HttpMethod.HEAD)) {
      assertThat(server.send(method, uri, Map.of(), null).status()).isEqualTo(401);
      for (String wrong : List.of("i-1", "a-1")) {
        Answer answer = server.send(method, uri, TestGateway.map(bearer(wrong)), null);
        assertThat(answer.status()).as(wrong).isIn(403, 404);
        assertThat(answer.body()).doesNotContain("cursor");
      }
    }
    for (String right : List.of("r-1", "all-1")) {
      int status = server.get(uri, bearer(right)).status();
      assertThat(status).isIn(uri.contains("token=") ? List.of(400) : List.of(200, 404));
    }
  }

  /** A spelling mistake should not look like a missing role. */
  @ParameterizedTest
  @CsvSource({"GET, /v1/event, 404", "PUT, /v1/events, 405", "OPTIONS, /v1/events, 405"})
  void whatIsNotThere_isToldToWhoMayAskForAnything(String method, String uri, int status)
      throws Exception {
    start();
    HttpMethod verb = HttpMethod.valueOf(method);
    for (String known : List.of("i-1", "r-1", "a-1")) {
      assertThat(server.send(verb, uri, TestGateway.map(bearer(known)), null).status())
          .isEqualTo(status);
    }
    assertThat(server.send(verb, uri, TestGateway.map(bearer("nobody")), null).status())
        .isEqualTo(401);
    assertThat(server.send(verb, uri, Map.of(), null).status()).isEqualTo(401);
  }

  @ParameterizedTest
  @CsvSource({
    "POST, /v1/shards, r-1",
    "POST, /v1/shards/, r-1",
    "DELETE, /v1/shards/0, r-1",
    "DELETE, /v1/shards/0/, r-1",
    "PATCH, /v1/limits/, r-1",
    "POST, /v1/dead-letters/replay/, i-1",
    "POST, /v1/events/, r-1",
    "POST, /v1/events/, a-1",
    "GET, /v1/tail/, a-1",
    "GET, /v1/tail/, i-1",
    "GET, /v1/dead-letters/, a-1",
    "GET, /metrics/, i-1",
    "GET, /v1/ingest/, r-1",
    "GET, /v1/ingest/, a-1"
  })
  void otherRoles_areRefusedHoweverTheyWriteIt(String method, String uri, String token)
      throws Exception {
    start();
    assertThat(
            server
                .send(HttpMethod.valueOf(method), uri, TestGateway.map(bearer(token)), null)
                .status())
        .isEqualTo(403);
    assertThat(server.bus.stats().shards()).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"Basic aTox", "Bearer", "Bearer ", "bearer  r-1 x", "r-1", ""})
  void otherCredentials_areNone(String header) throws Exception {
    start();
    assertThat(server.get("/v1/events", "Authorization", header).status()).isEqualTo(401);
  }

  @Test
  void webSocket_takesTheTokenAsHeaderOrSubprotocol() throws Exception {
    start();
    for (List<String> protocols :
        List.of(List.of("shardbus.v1"), List.of("shardbus.v1", "bearer.r-1"))) {
      assertThatThrownBy(() -> server.connect("/v1/ingest", protocols))
          .cause()
          .isInstanceOfSatisfying(
              UpgradeRejectedException.class,
              e -> {
                assertThat(e.getStatus()).isEqualTo(protocols.size() == 1 ? 401 : 403);
                assertThat(e.getBody().toString()).contains("\"detail\"").doesNotContain("r-1");
              });
    }
    WebSocket byHeader =
        server.connect("/v1/ingest?ack=accepted", List.of("shardbus.v1"), bearer("i-1"));
    WebSocket byProtocol =
        server.connect("/v1/ingest?ack=accepted", List.of("shardbus.v1", "bearer.i-1"));
    assertThat(byProtocol.subProtocol()).isEqualTo("shardbus.v1");
    for (WebSocket socket : List.of(byHeader, byProtocol)) {
      Promise<String> answer = Promise.promise();
      socket.textMessageHandler(answer::tryComplete);
      socket.writeTextMessage("1");
      assertThat(TestGateway.await(answer.future())).isEqualTo("{\"acked\":1}");
    }
  }

  @Test
  void file_isReadAgainWhenItChanges() throws Exception {
    start();
    file("read r-2\n");
    Awaitility.await()
        .atMost(Duration.ofSeconds(15))
        .untilAsserted(
            () -> assertThat(server.get("/v1/events", bearer("r-2")).status()).isEqualTo(200));
    assertThat(server.get("/v1/events", bearer("r-1")).status()).isEqualTo(401);
    // What is bad changes nothing; what is empty lets nobody in.
    file("reader r-3\n");
    assertThat(server.get("/v1/events", bearer("r-2")).status()).isEqualTo(200);
    file("\n# nobody\n");
    Awaitility.await()
        .atMost(Duration.ofSeconds(15))
        .untilAsserted(
            () -> assertThat(server.get("/v1/events", bearer("r-2")).status()).isEqualTo(401));
    assertThat(server.get("/v1/events").status()).isEqualTo(401);
  }

  @Test
  void tokens_comeFromOptionsToo() throws Exception {
    server =
        new TestGateway(
            new GatewayOptions().setToken(new TokenOptions().setIngest("one").setRead("two")));
    assertThat(server.post("/v1/events", JSON, "1", bearer("one")).status()).isEqualTo(202);
    assertThat(server.get("/v1/events", bearer("one")).status()).isEqualTo(403);
    assertThat(server.get("/v1/events", bearer("two")).status()).isEqualTo(200);
    assertThat(server.get("/v1/events").status()).isEqualTo(401);
  }

  @Test
  void withTokens_otherMachinesMayConnect() throws Exception {
    server =
        new TestGateway(
            new GatewayOptions().setHost("0.0.0.0").setToken(new TokenOptions().setRead("two")));
    assertThat(server.get("/v1/events").status()).isEqualTo(401);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "read good\\nreader hush-1|line 2",
        "hush-1 read|line 1",
        "read|line 1",
        "read hush-1 more|line 1",
        "read hush@1|line 1",
        ",read hush-1|line 1"
      })
  void badFile_isNamedWithoutItsTokens(String text, String where) throws Exception {
    Path file = file(text.replace("\\n", "\n"));
    assertThatThrownBy(
            () -> new TestGateway(new GatewayOptions().setTokensFile(file.toString())).close())
        .isInstanceOf(ExecutionException.class)
        .cause()
        .hasMessageContaining(file.toString())
        .hasMessageContaining(where)
        .hasMessageNotContaining("hush")
        .hasMessageNotContaining("good");
  }

  @Test
  void missingFile_isNamed() {
    assertThatThrownBy(
            () -> new TestGateway(new GatewayOptions().setTokensFile(dir + "/none")).close())
        .cause()
        .hasMessageContaining(dir.resolve("none") + " cannot be read: it does not exist");
    assertThatThrownBy(() -> new TokenOptions().setRead("a b"))
        .hasMessageContaining("token.read")
        .hasMessageNotContaining("a b");
  }
}
