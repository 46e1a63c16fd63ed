package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.testing.Program;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients of others, as the table in docs/wire.md lists them. */
class ClientsTest {

  private static final List<Path> FOLDERS =
      List.of(
          Path.of("src/test/java/io/shardbus/gateway"),
          Path.of("src/test/java/io/shardbus/docker"));

  private TestGateway server;
  private String url;

  @BeforeEach
  void setUp() throws Exception {
    server = new TestGateway(new GatewayOptions());
    url = "http://127.0.0.1:" + server.gateway.port();
  }

  @AfterEach
  void tearDown() throws Exception {
    server.close();
  }

  @Test
  void undici_keepsConnectionsAndPipelines() throws Exception {
    assertThat(Program.node("undici", "undici.mjs", url).lines())
        .containsExactly("pipelined 100", "stream 1000", "gzip 2", "refused 415");
    assertThat(server.bus.stats().total().accepted()).isEqualTo(1_102);
  }

  @Test
  void aiohttp_sendsAndFollows() throws Exception {
    assertThat(Program.python("aiohttp", "aiohttp_client.py", url).lines())
        .containsExactly(
            "json 202",
            "stream 1000",
            "gzip 2",
            "acked 3",
            "closed 4000",
            "page gzip 1000",
            "tail 200");
  }

  @Test
  void pythonWebSockets_areAcknowledgedAndClosed() throws Exception {
    assertThat(
            Program.python(
                    "websockets",
                    "websockets_client.py",
                    url.replace("http:", "ws:") + "/v1/ingest?ack=delivered")
                .lines())
        .containsExactly("acked 100 shardbus.v1", "closed 4001");
  }

  @Test
  void ws_isClosedWithItsCodeWhenAcknowledgementsAreDue() throws Exception {
    String socket = url.replace("http:", "ws:") + "/v1/ingest?ack=delivered";
    assertThat(Program.node("ws", "ws.mjs", socket).strip())
        .isEqualTo("acked 3 protocol shardbus.v1 closed 1000");
    assertThat(Program.node("ws", "ws.mjs", socket, "late").strip())
        .isEqualTo("acked 3 protocol shardbus.v1 closed 4001 done");
  }

  @Test
  void wrk_keepsItsConnections() throws Exception {
    assertThat(Program.run("wrk", "-t1", "-c8", "-d1s", url + "/health/live"))
        .doesNotContain("Non-2xx")
        .doesNotContain("Socket errors")
        .contains("Requests/sec");
  }

  /** The table says which tests run a client. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "curl",
        "openssl",
        "h2load",
        "wrk",
        "nginx",
        "undici",
        "ws",
        "eventsource",
        "CloudEvents SDK",
        "aiohttp",
        "websockets",
        "syslog-ng",
        "Prometheus",
        "Chromium, axe-core"
      })
  void clientsOfTheTable_haveTests(String client) throws Exception {
    String row =
        Files.readAllLines(Path.of("docs/wire.md")).stream()
            .filter(line -> line.startsWith("| " + client + " "))
            .findFirst()
            .orElseThrow();
    String[] cells = row.split("\\|", -1);
    for (String test : cells[cells.length - 2].replace("`", "").split(",", -1)) {
      assertThat(FOLDERS.stream().map(folder -> folder.resolve(test.strip() + ".java")))
          .anyMatch(Files::exists);
    }
  }
}
