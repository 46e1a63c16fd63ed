package io.shardbus.app;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.files.FolderLock;
import io.shardbus.gateway.Gateway;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.gateway.TokenOptions;
import io.shardbus.options.Counted;
import io.shardbus.options.Durations;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.Sinks;
import io.shardbus.sink.Storage;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code shardbus serve}. */
@Command(
    name = "serve",
    description = "Start a server that takes events over HTTP, WebSocket and the event bus.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Every option of the configuration can also be given in the environment:",
      "bus.batch.maxDelay is SHARDBUS_BATCH_MAX_DELAY, gateway.port is SHARDBUS_PORT.",
      "Flags win over the environment, the environment over the file.",
      "",
      "Examples:",
      "  shardbus serve --port 0 --data /var/lib/shardbus",
      "  shardbus serve --config conf/shardbus.json --check",
      "  shardbus serve --cluster --sink kafka",
      "        as a node of a Vert.x cluster; docs/cluster.md has the recipe",
      "",
      "Exit codes: 0 stopped by a signal, or the check found nothing; 1 failed;",
      "2 wrong usage or configuration."
    })
final class ServeCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Option(names = "--config", paramLabel = "FILE", description = "Configuration, as JSON.")
  private @Nullable Path config;

  @Option(names = "--host", paramLabel = "H", description = "Address to listen on (127.0.0.1).")
  private @Nullable String host;

  @Option(names = "--port", paramLabel = "N", description = "Port, 0 for a free one (8080).")
  private @Nullable Integer port;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Folder for what outlives the process (data).")
  private @Nullable String data;

  @Option(names = "--shards", paramLabel = "N", description = "Shards at the start (processors).")
  private @Nullable Integer shards;

  @Option(names = "--sink", paramLabel = "NAME", description = "Where events go (log).")
  private @Nullable String sink;

  @Option(names = "--insecure", description = "Listen beyond this machine without tokens.")
  private boolean insecure;

  @Option(
      names = "--cluster",
      description =
          "Join a Vert.x cluster by Hazelcast: publishers and consumers on its event bus are then"
              + " served. Its ports listen on this machine only, unless --cluster-host or"
              + " cluster.host says more.")
  private boolean cluster;

  @Option(
      names = "--cluster-host",
      paramLabel = "H",
      description = "Address for other nodes, on which the cluster's ports listen (127.0.0.1).")
  private @Nullable String clusterHost;

  @Option(
      names = "--check",
      description = "Only check the configuration, and the files that it names.")
  private boolean check;

  @Option(
      names = "--print-config",
      description = "Only print the configuration in force, without its secrets.")
  private boolean printConfig;

  @Option(names = "--print-schema", description = "Only print the JSON schema of the file.")
  private boolean printSchema;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  ServeCommand() {}

  @Override
  public Integer call() throws Exception {
    if (printSchema) {
      spec.commandLine().getOut().print(Config.schema());
      spec.commandLine().getOut().flush();
      return 0;
    }
    Config loaded = Config.load(config, System.getenv(), flags());
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    for (String name : loaded.ignored()) {
      err.println("shardbus: environment variable " + name + " is not an option; ignored");
    }
    err.flush();
    Config inForce = elastic(loaded);
    try {
      // Whether the folder is in use does not make a configuration bad.
      FolderLock.check(inForce.bus().getDataDir(), "dataDir");
      checkCluster(inForce);
      if (check || printConfig) {
        check(inForce);
        out.println(
            printConfig
                ? Secrets.masked(inForce.toJson()).encodePrettily()
                : "the configuration is valid");
      } else {
        serve(inForce, out, err);
      }
    } catch (IllegalArgumentException | UnknownHostException e) {
      throw new ConfigException(Failures.describe(e));
    }
    return 0;
  }

  private void checkCluster(Config config) {
    boolean joins = config.cluster().isEnabled();
    if (joins) {
      Clustering.check(config.cluster());
    } else if (clusterHost != null) {
      throw new ConfigException("--cluster-host: only together with --cluster");
    }
    if (!joins && config.bus().getSink().getName().equals("eventbus")) {
      throw new ConfigException(
          "bus.sink.name: \"eventbus\" needs --cluster: without it no consumer is on the server's"
              + " event bus");
    }
  }

  private static void check(Config config) throws Exception {
    Vertx vertx = Vertx.vertx();
    try {
      Sinks.create(config.bus().getSink());
      Gateway.check(vertx, config.gateway());
    } finally {
      Server.await(vertx.close());
    }
  }

  private Map<String, Object> flags() {
    Map<String, Object> flags = new HashMap<>();
    putIfGiven(flags, "gateway.host", host);
    putIfGiven(flags, "gateway.port", port);
    putIfGiven(flags, "bus.dataDir", data);
    putIfGiven(flags, "bus.shards", shards);
    putIfGiven(flags, "bus.sink.name", sink);
    putIfGiven(flags, "cluster.host", clusterHost);
    if (insecure) {
      flags.put("gateway.insecure", true);
    }
    if (cluster) {
      flags.put("cluster.enabled", true);
    }
    return flags;
  }

  private static void putIfGiven(Map<String, Object> flags, String path, @Nullable Object value) {
    if (value != null) {
      flags.put(path, value);
    }
  }

  /** A server can be scaled on request, even without scaling options. */
  private static Config elastic(Config config) {
    ShardBusOptions bus = config.bus();
    if (bus.getScaling() == null) {
      int most = Math.max(bus.getShards(), 2 * Runtime.getRuntime().availableProcessors());
      bus.setScaling(ScalingPolicy.defaults(most).setAutoScale(false));
    }
    return config;
  }

  private void serve(Config config, PrintWriter out, PrintWriter err) throws Exception {
    Server server = Server.start(config, err);
    // Before anyone can know that the server runs and stop it.
    Runtime.getRuntime().addShutdownHook(new Thread(() -> server.stop(err), "shutdown"));
    greet(server, config, err);
    out.println("listening on " + server.url());
    out.flush();
    new CountDownLatch(1).await();
  }

  private static void greet(Server server, Config config, PrintWriter err) {
    ShardBus bus = server.bus();
    String url = server.url();
    err.println(
        "Shardbus: "
            + Counted.of(bus.shards().numShards(), "shard")
            + " of "
            + Counted.of(bus.shards().shards().get(0).capacity(), "event")
            + ", sink "
            + bus.sink().name()
            + ", data in "
            + Path.of(String.valueOf(config.bus().getDataDir())).toAbsolutePath());
    if (config.bus().getSink().getName().equals("log")) {
      err.println("  " + kept(bus, config.bus()));
    }
    if (config.cluster().isEnabled()) {
      err.println("  " + Clustering.open(config.cluster(), config.bus().getSecret() != null));
    }
    String curl =
        hasTokens(config.gateway())
            ? "curl -H \"Authorization: Bearer $SHARDBUS_TOKEN\" "
            : "curl ";
    err.println(
        "  send an event:  "
            + curl
            + "-H 'Content-Type: application/json' -d '{\"hello\":1}' "
            + url
            + "/v1/events");
    if (bus.sink() instanceof ReplayableSink) {
      err.println("  read it back:   " + curl + url + "/v1/events");
      err.println("  watch:          " + curl + "-N " + url + "/v1/tail");
    }
    err.println("  look:           open " + url + " in a browser");
    err.println("  measure:        " + curl + url + "/metrics");
    err.println("  stop:           Ctrl-C");
    err.flush();
  }

  /** Where the log keeps events, how long, and how much room it has. */
  private static String kept(ShardBus bus, ShardBusOptions options) {
    JsonObject log = options.getSink().getConfig();
    Path dir =
        log.containsKey("dir")
            ? Path.of(log.getString("dir"))
            : Path.of(String.valueOf(options.getDataDir())).resolve("log");
    String line = "events are kept in " + dir.toAbsolutePath() + " ";
    Duration retention = Durations.parse(log.getString("retention"));
    line += retention.isZero() ? "for ever" : "for " + Durations.format(retention);
    if (log.getLong("maxBytes", 0L) > 0) {
      line += ", up to " + StorageText.bytes(log.getLong("maxBytes"));
    }
    Storage storage = ReplayableSink.storageOf(bus.sink());
    Long free = storage == null ? null : storage.freeBytes();
    return free == null ? line : line + ", " + StorageText.bytes(free) + " free";
  }

  private static boolean hasTokens(GatewayOptions gateway) {
    TokenOptions given = gateway.getToken();
    return gateway.getTokensFile() != null
        || given.getIngest() != null
        || given.getRead() != null
        || given.getAdmin() != null;
  }
}
