package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.gateway.TestGateway.Answer;
import io.vertx.core.http.HttpMethod;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RoutesTest {

  private TestGateway server;

  @BeforeEach
  void setUp() throws Exception {
    server = new TestGateway(new GatewayOptions());
  }

  @AfterEach
  void tearDown() throws Exception {
    server.close();
  }

  @Test
  void head_isAnsweredAsGetButWithoutTheBody() throws Exception {
    assertThat(server.send(HttpMethod.HEAD, "/", Map.of(), null).status()).isEqualTo(200);
    for (String uri : List.of("/v1/stats", "/v1/events", "/health/live", "/openapi.json")) {
      Answer get = server.get(uri);
      Answer head = server.send(HttpMethod.HEAD, uri, Map.of(), null);
      assertThat(head.status()).as(uri).isEqualTo(200);
      assertThat(head.body()).as(uri).isEmpty();
      assertThat(head.header("Content-Type")).as(uri).isEqualTo(get.header("Content-Type"));
      assertThat(head.header("Content-Length")).as(uri).isNotEqualTo("0");
    }
    assertThat(server.get("/v1/stats").header("Strict-Transport-Security")).isNull();
    assertThat(server.send(HttpMethod.HEAD, "/v1/nothing", Map.of(), null).status()).isEqualTo(404);
    assertThat(server.send(HttpMethod.HEAD, "/v1/tail", Map.of(), null).status()).isEqualTo(405);
  }

  @Test
  void otherMethods_areToldWhichThereAre() throws Exception {
    Map<String, String> allowed =
        Map.of(
            "/v1/events", "GET, HEAD, POST",
            "/v1/events/", "GET, HEAD, POST",
            "/v1/shards/7", "DELETE",
            "/v1/tail", "GET",
            "/v1/policy", "GET, HEAD, PATCH");
    for (String uri : allowed.keySet()) {
      Answer answer = server.send(HttpMethod.PUT, uri, Map.of(), null);
      assertThat(answer.status()).as(uri).isEqualTo(405);
      assertThat(answer.header("Allow")).as(uri).isEqualTo(allowed.get(uri));
    }
  }

  /** Else a few bytes of questions become any number of answers in memory. */
  @Test
  void answersThatAreNotRead_areNotGivenForEver() throws Exception {
    byte[] some =
        "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
            .repeat(100)
            .getBytes(StandardCharsets.US_ASCII);
    AtomicLong asked = new AtomicLong();
    long most = 100_000;
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.gateway.port())) {
      Thread asking =
          new Thread(
              () -> {
                try {
                  while (asked.get() < most) {
                    socket.getOutputStream().write(some);
                    asked.addAndGet(100);
                  }
                } catch (IOException e) {
                  // the test is over
                }
              });
      asking.start();
      long[] before = {-1};
      Awaitility.await()
          .atMost(Duration.ofSeconds(30))
          .pollInterval(Duration.ofSeconds(1))
          .until(() -> before[0] == (before[0] = asked.get()));
      Runtime runtime = Runtime.getRuntime();
      System.gc();
      // All of the answers would be thousands of megabytes; those to what was sent too.
      assertThat(runtime.totalMemory() - runtime.freeMemory()).isLessThan(400_000_000);
    }
    assertThat(server.get("/health/live").status()).isEqualTo(200);
  }
}
