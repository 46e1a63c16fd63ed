package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.sink.ClusteredNode;
import io.shardbus.testing.Certificates;
import io.shardbus.testing.Ports;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.EventBusOptions;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nodes whose event bus takes only nodes with a certificate. */
@Tag("backend")
class ClusterTlsTest {

  @TempDir Path dir;

  private static <T> T get(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  @Test
  void nodeWithoutACertificate_isNotHeard() throws Exception {
    Certificates certificates = Certificates.make(dir, "localhost");
    ClusterOptions options = new ClusterOptions();
    options.getTls().setKeyStore(certificates.both()).setTrustStore(certificates.pem());
    EventBusOptions secured = new EventBusOptions();
    Clustering.prepare(options, secured);
    String cluster = UUID.randomUUID().toString();
    int port = Ports.free();
    Vertx one = ClusteredNode.start(cluster, port, secured);
    Vertx two = ClusteredNode.start(cluster, port, secured);
    Vertx other = ClusteredNode.start(cluster, port, new EventBusOptions().setHost("127.0.0.1"));
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
