package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.sink.ClusteredNode;
import io.shardbus.testing.Ports;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.EventBusOptions;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nodes whose event bus takes only nodes with a certificate. */
@Tag("backend")
class ClusterTlsTest {

  private static final char[] PASSWORD = "changeit".toCharArray();

  @TempDir Path dir;

  private static <T> T get(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private void makeCertificate() throws Exception {
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "node",
                "-keyalg",
                "EC",
                "-dname",
                "CN=node",
                "-ext",
                "san=ip:127.0.0.1",
                "-storetype",
                "PKCS12",
                "-keystore",
                dir.resolve("keys.p12").toString(),
                "-storepass",
                new String(PASSWORD))
            .redirectErrorStream(true)
            .redirectOutput(dir.resolve("keytool.out").toFile())
            .start();
    assertThat(keytool.waitFor(60, TimeUnit.SECONDS)).isTrue();
    KeyStore keys = KeyStore.getInstance(dir.resolve("keys.p12").toFile(), PASSWORD);
    pem("cert.pem", "CERTIFICATE", keys.getCertificate("node").getEncoded());
    pem("key.pem", "PRIVATE KEY", keys.getKey("node", PASSWORD).getEncoded());
  }

  private void pem(String file, String type, byte[] der) throws Exception {
    Files.writeString(
        dir.resolve(file),
        "-----BEGIN "
            + type
            + "-----\n"
            + Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                .encodeToString(der)
            + "\n-----END "
            + type
            + "-----\n");
  }

  @Test
  void nodeWithoutACertificate_isNotHeard() throws Exception {
    makeCertificate();
    ClusterOptions options = new ClusterOptions();
    options
        .getTls()
        .setCertificate(dir.resolve("cert.pem").toString())
        .setKey(dir.resolve("key.pem").toString())
        .setTrust(dir.resolve("cert.pem").toString());
    EventBusOptions secured = new EventBusOptions();
    Clustering.prepare(options, secured);
    String cluster = UUID.randomUUID().toString();
    int port = Ports.free();
    Vertx one = ClusteredNode.start(cluster, port, secured);
    Vertx two = ClusteredNode.start(cluster, port, secured);
    Vertx other =
        ClusteredNode.start(cluster, port, new EventBusOptions().setHost("127.0.0.1"));
    try {
      get(
          one.eventBus()
              .<String>consumer("echo", message -> message.reply(message.body()))
              .completion());
      Awaitility.await()
          .atMost(60, TimeUnit.SECONDS)
          .ignoreExceptions()
          .until(() -> get(two.eventBus().request("echo", "x")).body(), "x"::equals);
      assertThatThrownBy(
              () ->
                  get(
                      other
                          .eventBus()
                          .request("echo", "x", new DeliveryOptions().setSendTimeout(3_000))))
          .hasMessageContaining("Timed out");
    } finally {
      get(other.close());
      get(two.close());
      get(one.close());
    }
  }
}
