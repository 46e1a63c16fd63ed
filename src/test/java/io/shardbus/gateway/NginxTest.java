package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import io.shardbus.testing.Ports;
import io.shardbus.testing.Program;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Behind a proxy, under a path prefix. */
@Tag("browser")
class NginxTest {

  @TempDir Path dir;
  private TestGateway server;
  private Process nginx;
  private String url;

  @BeforeEach
  void setUp() {
    Program.require("nginx");
  }

  @AfterEach
  void tearDown() throws Exception {
    if (nginx != null) {
      nginx.destroy();
      nginx.waitFor(20, TimeUnit.SECONDS);
    }
    server.close();
  }

  private void start(GatewayOptions options) throws Exception {
    server = new TestGateway(options);
    int port = Ports.free();
    url = "http://localhost:" + port + "/bus";
    String config =
        """
        daemon off;
        pid %1$s/pid;
        error_log %1$s/error.log;
        events {}
        http {
          access_log off;
          client_body_temp_path %1$s/body;
          proxy_temp_path %1$s/proxy;
          fastcgi_temp_path %1$s/fastcgi;
          uwsgi_temp_path %1$s/uwsgi;
          scgi_temp_path %1$s/scgi;
          server {
            listen 127.0.0.1:%2$d;
            location /bus/ {
              proxy_pass http://127.0.0.1:%3$d/;
              proxy_http_version 1.1;
              proxy_set_header Host $http_host;
              proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
              proxy_set_header X-Forwarded-Proto $scheme;
              proxy_set_header Upgrade $http_upgrade;
              proxy_set_header Connection $http_connection;
            }
          }
        }
        """
            .formatted(dir, port, server.gateway.port());
    Path file = Files.writeString(dir.resolve("nginx.conf"), config);
    nginx =
        new ProcessBuilder("nginx", "-p", dir.toString(), "-c", file.toString())
            .redirectErrorStream(true)
            .redirectOutput(dir.resolve("out").toFile())
            .start();
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () -> {
              try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return socket.isConnected();
              } catch (java.net.ConnectException e) {
                return false;
              }
            });
  }

  /** With the defaults of nginx, which keeps back what comes slowly. */
  @Test
  void tail_comesAtOnce() throws Exception {
    start(new GatewayOptions());
    HttpResponse<InputStream> tail =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create(url + "/v1/tail")).build(),
                HttpResponse.BodyHandlers.ofInputStream());
    assertThat(tail.statusCode()).isEqualTo(200);
    server.bus.ingest(RawEvent.of("\"here\""));
    StringBuilder seen = new StringBuilder();
    try (InputStream in = tail.body()) {
      while (seen.indexOf("\"event\":\"here\"") < 0) {
        int b = in.read();
        assertThat(b).as(seen.toString()).isNotNegative();
        seen.append((char) b);
      }
    }
  }

  @Test
  void console_worksUnderAPrefix() throws Exception {
    Program.require("chromium");
    start(new GatewayOptions());
    String page = Program.page(url + "/", dir.resolve("profile"));
    assertThat(page).contains("data-state=\"live\"").doesNotContain("data-state=\"failed\"");
  }

  @ParameterizedTest
  @CsvSource({"127.0.0.1, 202", "'10.0.0.0/8,127.0.0.0/8', 202", "'', 429"})
  void limitsAreThoseOfTheClient_ifTheProxyIsTrusted(String proxies, int second) throws Exception {
    start(
        new GatewayOptions()
            .setMaxEventsPerSecondPerClient(1)
            .setTrustedProxies(proxies.isEmpty() ? null : proxies));
    assertThat(post("203.0.113.1").statusCode()).isEqualTo(202);
    assertThat(post("203.0.113.2").statusCode()).isEqualTo(second);
    assertThat(post("203.0.113.2").statusCode()).isEqualTo(429);
    // What the client says of itself does not count.
    assertThat(post("203.0.113.9, 203.0.113.2").statusCode()).isEqualTo(429);
  }

  private HttpResponse<String> post(String client, String... headers) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(url + "/v1/events"))
            .header("Content-Type", "application/json")
            .header("X-Forwarded-For", client)
            .POST(HttpRequest.BodyPublishers.ofString("1"));
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    return HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void originOfTheProxy_isTheServersOwn() throws Exception {
    start(new GatewayOptions());
    String origin = url.substring(0, url.length() - "/bus".length());
    assertThat(post("203.0.113.1", "Origin", origin).statusCode()).isEqualTo(202);
    assertThat(post("203.0.113.1", "Origin", "http://evil.example").statusCode()).isEqualTo(403);
  }

  @Test
  void webSockets_passThrough() throws Exception {
    start(new GatewayOptions());
    String output =
        Program.node("ws", "ws.mjs", url.replace("http:", "ws:") + "/v1/ingest?ack=delivered");
    assertThat(output).contains("acked 3").contains("closed 1000");
    assertThat(new String(Files.readAllBytes(dir.resolve("out")), StandardCharsets.UTF_8))
        .isEmpty();
  }
}
