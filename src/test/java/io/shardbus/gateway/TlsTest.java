package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.shardbus.testing.Certificates;
import io.shardbus.testing.Program;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TlsTest {

  @TempDir Path dir;
  private TestGateway server;
  private int eventLoops = 1;
  private String keyAlgorithm = "EC";

  @AfterEach
  void tearDown() throws Exception {
    if (server != null) {
      server.close();
    }
  }

  /** Makes a certificate for a name, and puts it and its key where the server looks for them. */
  private void certify(String name) throws Exception {
    Certificates made = Certificates.make(dir, name, keyAlgorithm);
    Files.copy(Path.of(made.pem()), dir.resolve("cert.pem"), StandardCopyOption.REPLACE_EXISTING);
    Files.copy(Path.of(made.keyPem()), dir.resolve("key.pem"), StandardCopyOption.REPLACE_EXISTING);
  }

  private GatewayOptions options() {
    return new GatewayOptions()
        .setEventLoops(eventLoops)
        .setTls(
            new TlsOptions()
                .setCertificate(dir.resolve("cert.pem").toString())
                .setKey(dir.resolve("key.pem").toString()));
  }

  private void start(HttpVersion version) throws Exception {
    start(version, Sinks.create(new SinkOptions("memory")));
  }

  private void start(HttpVersion version, Sink sink) throws Exception {
    server =
        new TestGateway(
            new ShardBusOptions().setShards(1).setRingCapacity(1024),
            sink,
            options(),
            new HttpClientOptions()
                .setSsl(true)
                .setTrustAll(true)
                .setVerifyHost(false)
                .setUseAlpn(true)
                .setProtocolVersion(version));
  }

  /** Those that a new connection of each event loop gets. */
  private Set<String> certifiedNames() throws Exception {
    Set<String> names = new TreeSet<>();
    for (int i = 0; i < eventLoops; i++) {
      names.add(certifiedName());
    }
    return names;
  }

  /** The name in the certificate that a new connection gets. */
  private String certifiedName() throws Exception {
    X509Certificate[] seen = new X509Certificate[1];
    SSLContext context = SSLContext.getInstance("TLS");
    TrustManager trust =
        new X509TrustManager() {
          @Override
          public void checkClientTrusted(X509Certificate[] chain, String type) {}

          @Override
          public void checkServerTrusted(X509Certificate[] chain, String type) {
            seen[0] = chain[0];
          }

          @Override
          public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
          }
        };
    context.init(null, new TrustManager[] {trust}, null);
    try (SSLSocket socket =
        (SSLSocket)
            context
                .getSocketFactory()
                .createSocket(InetAddress.getLoopbackAddress(), server.gateway.port())) {
      socket.startHandshake();
    }
    return seen[0].getSubjectX500Principal().getName();
  }

  @ParameterizedTest
  @EnumSource(
      value = HttpVersion.class,
      names = {"HTTP_1_1", "HTTP_2"})
  void requests_areEncrypted(HttpVersion version) throws Exception {
    certify("one");
    start(version);
    HttpVersion spoken =
        TestGateway.await(
            server
                .http
                .request(HttpMethod.GET, server.gateway.port(), "127.0.0.1", "/v1/stats")
                .compose(request -> request.send().map(answer -> answer.version())));
    assertThat(spoken).isEqualTo(version);
    assertThat(server.post("/v1/events", "application/json", "1").status()).isEqualTo(202);
    // Refusals end the stream, and with HTTP/2 nothing else.
    assertThat(server.post("/v1/events", "text/plain", "1").status()).isEqualTo(415);
    assertThat(server.post("/v1/events?ack=x", "application/json", "1").status()).isEqualTo(400);
    TestGateway.Answer stats = server.get("/v1/stats");
    assertThat(stats.json().getLong("accepted")).isEqualTo(1);
    assertThat(stats.header("Strict-Transport-Security")).startsWith("max-age=");
  }

  /** Also after the certificate was read again. */
  @Test
  void programsOfOthers_speakHttp2() throws Exception {
    certify("one");
    start(HttpVersion.HTTP_1_1);
    programsSpeakHttp2();
    certify("two");
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(certifiedNames()).containsExactly("CN=two"));
    programsSpeakHttp2();
  }

  private void programsSpeakHttp2() throws Exception {
    String address = "127.0.0.1:" + server.gateway.port();
    String url = "https://" + address;
    assertThat(curl("--http2", "-w", "%{http_version} %{response_code}", url + "/health/live"))
        .endsWith("2 200");
    assertThat(curl("--http1.1", "-w", "%{http_version} %{response_code}", url + "/health/live"))
        .endsWith("1.1 200");
    // The header Upgrade is an error in HTTP/2: the client would drop the connection.
    assertThat(curl("--http2", "-i", url + "/v1/ingest"))
        .startsWith("HTTP/2 426")
        .doesNotContainIgnoringCase("upgrade:");
    assertThat(curl("--http1.1", "-i", url + "/v1/ingest"))
        .containsIgnoringCase("upgrade: websocket");
    assertThat(Program.run("openssl", "s_client", "-alpn", "h2,http/1.1", "-connect", address))
        .contains("ALPN protocol: h2");
    assertThat(Program.run("h2load", "-n", "20", "-c", "2", url + "/health/live"))
        .contains("Application protocol: h2")
        .contains("20 succeeded");
  }

  @Test
  void clearText_speaksHttp2IfAsked() throws Exception {
    server = new TestGateway(new GatewayOptions().setHttp2ClearText(true));
    String url = "http://127.0.0.1:" + server.gateway.port();
    for (String version : List.of("--http2-prior-knowledge", "--http1.1")) {
      assertThat(
              curl(
                  version,
                  "-w",
                  " %{http_version} %{response_code}",
                  "-H",
                  "Content-Type: application/json",
                  "-d",
                  "1",
                  url + "/v1/events"))
          .endsWith(version.equals("--http1.1") ? " 1.1 202" : " 2 202");
    }
    assertThat(Program.run("h2load", "-n", "20", "-c", "2", url + "/health/live"))
        .contains("Application protocol: h2c")
        .contains("20 succeeded");
  }

  private static String curl(String... arguments) throws Exception {
    return Program.run(
        Stream.concat(Stream.of("curl", "-sk"), Stream.of(arguments)).toArray(String[]::new));
  }

  /** Without forward secrecy, and with padding that can be guessed. */
  @ParameterizedTest
  @ValueSource(strings = {"AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256", "AES128-SHA"})
  void weakCiphers_areRefused(String cipher) throws Exception {
    keyAlgorithm = "RSA";
    certify("one");
    start(HttpVersion.HTTP_1_1);
    weakCipherIsRefused(cipher);
    certify("two");
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(certifiedNames()).containsExactly("CN=two"));
    weakCipherIsRefused(cipher);
  }

  private void weakCipherIsRefused(String cipher) throws Exception {
    String address = "127.0.0.1:" + server.gateway.port();
    String command = "openssl s_client -tls1_2 -cipher %s@SECLEVEL=0 -connect " + address;
    assertThat(Program.runAnyway(command.formatted(cipher).split(" ", -1)))
        .contains("handshake failure");
    assertThat(Program.run(command.formatted("ECDHE-RSA-AES128-GCM-SHA256").split(" ", -1)))
        .contains("ECDHE-RSA-AES128-GCM-SHA256");
  }

  /** With HTTP/2 it cannot be asked to go on when all of it is there. */
  @Test
  void lastLineThatHasToWait_isTakenAndAnswered() throws Exception {
    certify("one");
    Promise<Void> gate = Promise.promise();
    start(HttpVersion.HTTP_2, new RecordingSink().behave(batch -> gate.future()));
    Awaitility.await()
        .during(Duration.ofMillis(300))
        .until(
            () -> {
              boolean full = !server.bus.ingest(RawEvent.of("0")).accepted();
              while (server.bus.ingest(RawEvent.of("0")).accepted()) {
                // until the ring is full
              }
              return full;
            });
    server.vertx.setTimer(500, id -> gate.complete());
    TestGateway.Answer answer = server.post("/v1/events", "application/x-ndjson", "1");
    assertThat(answer.status()).isEqualTo(202);
    assertThat(answer.json().getInteger("accepted")).isEqualTo(1);
  }

  /** As many as may be open at once: they end, and what they sent takes up no window. */
  @Test
  void refusedUploads_doNotHoldTheConnectionUp() throws Exception {
    certify("one");
    start(HttpVersion.HTTP_2);
    for (int i = 0; i < 100; i++) {
      int status =
          sendOfUnknownLength(
              HttpMethod.POST,
              "/v1/events",
              request ->
                  request
                      .putHeader("Content-Type", "text/plain")
                      .write(Buffer.buffer("x".repeat(200_000))));
      assertThat(status).isEqualTo(415);
    }
    assertThat(server.post("/v1/events", "application/json", "1").status()).isEqualTo(202);
  }

  /** With HTTP/2, no header says that a body of unknown length comes. */
  @Test
  void deletionOfAll_seesThatThereIsABody() throws Exception {
    certify("one");
    start(HttpVersion.HTTP_2);
    int status =
        sendOfUnknownLength(
            HttpMethod.DELETE,
            "/v1/dead-letters",
            request -> {
              request.write(Buffer.buffer("{\"ids\":"));
              request.end(Buffer.buffer("[1]}"));
            });
    assertThat(status).isEqualTo(400);
  }

  /** The status of the answer. */
  private int sendOfUnknownLength(HttpMethod method, String path, Consumer<HttpClientRequest> body)
      throws Exception {
    return TestGateway.await(
        server
            .http
            .request(method, server.gateway.port(), "127.0.0.1", path)
            .compose(
                request -> {
                  body.accept(request.setChunked(true));
                  return request.response().map(HttpClientResponse::statusCode);
                }));
  }

  @Test
  void plainText_getsNoAnswer() throws Exception {
    certify("one");
    start(HttpVersion.HTTP_1_1);
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.gateway.port())) {
      socket.setSoTimeout(20_000);
      OutputStream out = socket.getOutputStream();
      out.write(
          "GET /v1/stats HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1))
          .doesNotContain("accepted");
    }
  }

  @Test
  void healthCheckOfTheImage_knowsIt() throws Exception {
    certify("one");
    start(HttpVersion.HTTP_1_1);
    ProcessBuilder check = new ProcessBuilder("docker/live.sh");
    check.environment().put("SHARDBUS_PORT", Integer.toString(server.gateway.port()));
    Process process = check.start();
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void files_areReadAgainWhenTheyChange(int loops) throws Exception {
    certify("one");
    eventLoops = loops;
    start(HttpVersion.HTTP_1_1);
    assertThat(certifiedNames()).containsExactly("CN=one");
    certify("two");
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(certifiedNames()).containsExactly("CN=two"));
    // What cannot be used changes nothing, and what is good again is taken.
    Files.writeString(dir.resolve("cert.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n");
    Awaitility.await()
        .during(Duration.ofSeconds(3))
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(certifiedNames()).containsExactly("CN=two"));
    certify("three");
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(certifiedNames()).containsExactly("CN=three"));
    assertThat(server.get("/v1/stats").status()).isEqualTo(200);
  }

  @Test
  void badFiles_areNamed() throws Exception {
    assertStartFails(
        options(),
        "tls.certificate: " + dir.resolve("cert.pem") + " cannot be read: it does not exist");
    certify("one");
    assertStartFails(
        new GatewayOptions().setTls(new TlsOptions().setCertificate("cert.pem")),
        "tls: certificate and key must be given together, key is missing");
    Files.writeString(dir.resolve("key.pem"), "no key");
    assertStartFails(options(), "tls: certificate and key cannot be used: ");
    certify("two");
    Path key = dir.resolve("key.pem");
    String ofTwo = Files.readString(key);
    certify("three");
    Files.writeString(key, ofTwo);
    assertStartFails(
        options(),
        "tls: certificate and key cannot be used: the key does not belong to the certificate");
  }

  private static void assertStartFails(GatewayOptions options, String says) {
    assertThatThrownBy(() -> new TestGateway(options).close()).cause().hasMessageStartingWith(says);
  }
}
