package io.shardbus.app;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.shardbus.BusStats;
import io.shardbus.ShardBus;
import io.shardbus.files.SqliteFiles;
import io.shardbus.gateway.Gateway;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.options.Counted;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxBuilder;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.micrometer.Label;
import io.vertx.micrometer.MicrometerMetricsFactory;
import io.vertx.micrometer.MicrometerMetricsOptions;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.EnumSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/**
 * A running server: a Vert.x with a bus, its meters and a gateway.
 *
 * @param url where it listens
 * @param closeTimeout what the bus may take to deliver at the end
 */
record Server(Vertx vertx, ShardBus bus, Gateway gateway, String url, Duration closeTimeout) {

  private static final long START_TIMEOUT_SECONDS = 60;
  private static final long VERTX_CLOSE_SECONDS = 10;

  /**
   * Starts all of it, or leaves nothing behind. Blocks.
   *
   * @param err told what takes long
   */
  static Server start(Config config, PrintWriter err) throws Exception {
    // It takes a while, and the dead letters need it: beside what comes first.
    Thread loading = new Thread(SqliteFiles::load, "sqlite");
    loading.setDaemon(true);
    loading.start();
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    Vertx vertx = vertx(registry, config.gateway(), config.cluster());
    ShardBus bus;
    Gateway gateway;
    try {
      bus = awaitPatiently(ShardBus.start(vertx, config.bus()), err);
      try {
        gateway = await(Gateway.start(vertx, bus, config.gateway(), registry));
      } catch (Exception e) {
        await(bus.close());
        throw e;
      }
    } catch (Exception e) {
      await(vertx.close());
      throw e;
    }
    String scheme = config.gateway().getTls().getCertificate() == null ? "http://" : "https://";
    String url = scheme + urlHost(config.gateway().getHost()) + ":" + gateway.port();
    return new Server(vertx, bus, gateway, url, config.bus().getCloseTimeout());
  }

  private static Vertx vertx(
      PrometheusMeterRegistry registry, GatewayOptions gateway, ClusterOptions cluster)
      throws Exception {
    VertxOptions options =
        new VertxOptions()
            .setMetricsOptions(vertxMetrics())
            // The class path holds no file that Vert.x serves: it needs no folder for copies.
            .setFileSystemOptions(new FileSystemOptions().setClassPathResolvingEnabled(false))
            .setEventLoopPoolSize(
                Math.max(VertxOptions.DEFAULT_EVENT_LOOP_POOL_SIZE, gateway.getEventLoops()));
    if (cluster.isEnabled()) {
      Clustering.prepare(cluster, options.getEventBusOptions());
    }
    VertxBuilder builder =
        Vertx.builder().with(options).withMetrics(new MicrometerMetricsFactory(registry));
    if (!cluster.isEnabled()) {
      return builder.build();
    }
    return await(Clustering.join(builder, cluster));
  }

  /** Without the HTTP method as a label: clients may invent any number of methods. */
  private static MicrometerMetricsOptions vertxMetrics() {
    return new MicrometerMetricsOptions()
        .setEnabled(true)
        .setJvmMetricsEnabled(true)
        .setLabels(EnumSet.of(Label.HTTP_ROUTE, Label.HTTP_CODE, Label.POOL_TYPE, Label.EB_SIDE));
  }

  private static String urlHost(String host) {
    return host.indexOf(':') >= 0 ? "[" + host + "]" : host;
  }

  /**
   * Closes all of it, and ends the process. A process that ends by a signal has an exit code other
   * than 0, unless it is set here.
   */
  void stop(PrintWriter err) {
    long deadline = closeTimeout.toSeconds() + START_TIMEOUT_SECONDS;
    boolean gatewayClosed = closed(gateway.close(), deadline, err);
    boolean busClosed = closed(bus.close(), deadline, err); // even if closing the gateway failed
    int code = gatewayClosed && busClosed ? 0 : 1;
    BusStats stats = bus.stats();
    err.println(
        "stopped: "
            + Counted.of(stats.total().accepted(), "event")
            + " accepted, "
            + stats.total().delivered()
            + " delivered, "
            + stats.total().evicted()
            + " evicted, "
            + stats.total().deadLettered()
            + " dead-lettered, "
            + stats.total().pending()
            + " not delivered");
    err.flush();
    closed(vertx.close(), VERTX_CLOSE_SECONDS, err); // so that a cluster learns of it
    Runtime.getRuntime().halt(code);
  }

  private static boolean closed(Future<Void> end, long deadlineSeconds, PrintWriter err) {
    try {
      end.toCompletionStage().toCompletableFuture().get(deadlineSeconds, TimeUnit.SECONDS);
      return true;
    } catch (ExecutionException e) {
      err.println("shardbus: " + Failures.describe(e.getCause() == null ? e : e.getCause()));
    } catch (InterruptedException | TimeoutException e) {
      err.println("shardbus: could not stop within " + deadlineSeconds + " s");
    }
    return false;
  }

  /**
   * A check of large files on a slow disk may take long, so there is no time limit: the operator
   * can kill the process.
   */
  private static <T> T awaitPatiently(Future<T> future, PrintWriter err) throws Exception {
    return await(
        future,
        late -> {
          err.println("shardbus: still opening the data folder and the sink");
          err.flush();
        });
  }

  static <T> T await(Future<T> future) throws Exception {
    return await(
        future,
        late -> {
          throw new IllegalStateException("no answer within " + START_TIMEOUT_SECONDS + " s", late);
        });
  }

  private static <T> T await(Future<T> future, Consumer<TimeoutException> eachTimeout)
      throws Exception {
    while (true) {
      try {
        return future
            .toCompletionStage()
            .toCompletableFuture()
            .get(START_TIMEOUT_SECONDS, TimeUnit.SECONDS);
      } catch (ExecutionException e) {
        throw e.getCause() instanceof Exception cause ? cause : e;
      } catch (TimeoutException e) {
        eachTimeout.accept(e);
      }
    }
  }
}
