package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.ProducerId;
import io.shardbus.testing.Batches;
import io.shardbus.testing.Certificates;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import io.vertx.junit5.VertxExtension;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Kafka behind TLS, with certificates on both sides. */
@Tag("backend")
@ExtendWith(VertxExtension.class)
class KafkaTlsTest {

  private static Sink open(Vertx vertx, KafkaBroker broker, JsonObject tls) {
    JsonObject config =
        new JsonObject()
            .put("bootstrapServers", broker.bootstrap())
            .put("startTimeout", "5s")
            .put("tls", tls);
    Sink sink = Sinks.create(new SinkOptions("kafka").setConfig(config));
    sink.open(new SinkContext(vertx, new ProducerId("test", 1), null)).await();
    return sink;
  }

  @Test
  void broker_isTrustedByItsStoreAndTrustsTheClient(Vertx vertx, @TempDir Path dir)
      throws Exception {
    Certificates own = Certificates.make(dir, "localhost");
    Certificates other = Certificates.make(dir, "elsewhere");
    try (KafkaBroker broker = new KafkaBroker(dir.resolve("data"), own)) {
      JsonObject trust = new JsonObject().put("trustStore", own.pem());
      for (JsonObject tls :
          new JsonObject[] {
            trust.copy().put("keyStore", own.both()),
            trust.copy().put("keyStore", own.store()).put("keyStorePassword", "changeit")
          }) {
        Sink sink = open(vertx, broker, tls);
        sink.write(Batches.withKeys("k")).await();
        assertThat(((ReplayableSink) sink).read(EventQuery.of(null, 10)).await().events())
            .isNotEmpty();
        sink.close().await();
      }
      assertThatThrownBy(() -> open(vertx, broker, trust.copy()))
          .hasMessageStartingWith("Kafka at " + broker.bootstrap())
          .hasMessageContaining("bad_certificate");
      JsonObject wrong =
          new JsonObject().put("trustStore", other.pem()).put("keyStore", own.both());
      assertThatThrownBy(() -> open(vertx, broker, wrong))
          .hasMessageStartingWith("Kafka at " + broker.bootstrap())
          .hasMessageContaining("unable to find valid certification path");
    }
  }
}
