package io.shardbus.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.shardbus.gateway.Gateway;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.testing.Ports;
import io.shardbus.testing.Program;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.micrometer.MicrometerMetricsFactory;
import io.vertx.micrometer.MicrometerMetricsOptions;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The queries of the dashboard, asked of a real Prometheus that scrapes a bus under load. */
@Tag("backend")
class DashboardTest {

  private static final Path PROMETHEUS = Path.of("/usr/bin/prometheus");

  @TempDir Path dir;
  private final HttpClient http = HttpClient.newHttpClient();
  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private Vertx vertx;
  private ShardBus bus;
  private Gateway gateway;
  private Process prometheus;
  private int port;

  @BeforeEach
  void setUp() throws Exception {
    assumeTrue(Files.isExecutable(PROMETHEUS), "prometheus is not installed");
    vertx =
        Vertx.builder()
            .with(
                new VertxOptions()
                    .setMetricsOptions(
                        new MicrometerMetricsOptions().setEnabled(true).setJvmMetricsEnabled(true)))
            .withMetrics(new MicrometerMetricsFactory(registry))
            .build();
    ShardBusOptions options =
        new ShardBusOptions()
            .setShards(2)
            .setDataDir(dir.resolve("bus").toString()) // in a log, whose storage is shown
            .setScaling(ScalingPolicy.defaults(4).setAutoScale(false));
    bus = await(ShardBus.start(vertx, options));
    gateway = await(Gateway.start(vertx, bus, new GatewayOptions().setPort(0), registry));
    vertx.setPeriodic(20, id -> bus.ingest(RawEvent.of("event " + System.nanoTime())));
    startPrometheus();
  }

  /** With the configuration that is shipped, but for the address of the server. */
  private void startPrometheus() throws IOException {
    String shipped = Files.readString(Path.of("docker/prometheus.yml"));
    assertThat(shipped).contains("\"shardbus:8080\"").contains("scrape_interval: 5s");
    Path config =
        Files.writeString(
            dir.resolve("prometheus.yml"),
            shipped
                .replace("shardbus:8080", "127.0.0.1:" + gateway.port())
                .replace("scrape_interval: 5s", "scrape_interval: 500ms"));
    Files.copy(Path.of("conf/alerts.yml"), dir.resolve("alerts.yml"));
    port = Ports.free();
    prometheus =
        new ProcessBuilder(
                PROMETHEUS.toString(),
                "--config.file=" + config,
                "--storage.tsdb.path=" + dir.resolve("data"),
                "--web.listen-address=127.0.0.1:" + port)
            .redirectErrorStream(true)
            .redirectOutput(dir.resolve("log").toFile())
            .start();
  }

  @AfterEach
  void tearDown() throws Exception {
    if (prometheus != null) {
      prometheus.destroyForcibly().waitFor();
    }
    if (vertx != null) {
      await(vertx.close());
    }
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private static List<String> queries() throws IOException {
    JsonObject dashboard =
        new JsonObject(Files.readString(Path.of("docker/grafana/dashboards/shardbus.json")));
    List<String> queries = new ArrayList<>();
    for (Object panel : dashboard.getJsonArray("panels")) {
      for (Object target : ((JsonObject) panel).getJsonArray("targets")) {
        queries.add(((JsonObject) target).getString("expr"));
      }
    }
    return queries;
  }

  /** The values that a query has now; none if Prometheus does not answer yet. */
  private List<Double> ask(String query) throws Exception {
    String encoded = URLEncoder.encode(query, StandardCharsets.UTF_8);
    HttpResponse<String> answer;
    try {
      answer =
          http.send(
              HttpRequest.newBuilder(
                      URI.create("http://127.0.0.1:" + port + "/api/v1/query?query=" + encoded))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      return List.of();
    }
    if (answer.statusCode() == 503) {
      return List.of(); // it is starting
    }
    assertThat(answer.statusCode()).as("%s: %s", query, answer.body()).isEqualTo(200);
    List<Double> values = new ArrayList<>();
    for (Object result :
        new JsonObject(answer.body()).getJsonObject("data").getJsonArray("result")) {
      JsonArray value = ((JsonObject) result).getJsonArray("value");
      values.add(Double.valueOf(value.getString(1)));
    }
    return values;
  }

  @Test
  void everyQuery_hasAnAnswer() throws Exception {
    List<String> queries = queries();
    assertThat(queries).hasSizeGreaterThan(20);
    System.gc(); // so that there is a pause to show
    for (String query : queries) {
      String now = query.replace("$__rate_interval", "10s");
      assertThat(now).doesNotContain("$");
      Awaitility.await(query)
          .atMost(Duration.ofSeconds(30))
          .pollInterval(Duration.ofMillis(250))
          .until(() -> ask(now), values -> !values.isEmpty() && !values.contains(Double.NaN));
    }
    assertThat(
            Program.run(
                "curl", "-si", "--compressed", "http://127.0.0.1:" + gateway.port() + "/metrics"))
        .as("what Prometheus asks for")
        .contains("content-encoding: ")
        .contains("shardbus_events_delivered_total");
    // A single scrape may come too late.
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () -> {
              assertThat(ask("sum(rate(shardbus_events_delivered_total[10s]))"))
                  .singleElement(InstanceOfAssertFactories.DOUBLE)
                  .isPositive();
              assertThat(ask("up{job=\"shardbus\"}")).containsExactly(1.0);
            });
  }
}
