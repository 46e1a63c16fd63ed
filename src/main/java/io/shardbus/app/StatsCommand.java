package io.shardbus.app;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code shardbus stats}. */
@Command(
    name = "stats",
    description = "Show what a server has done and holds.",
    mixinStandardHelpOptions = true)
final class StatsCommand implements Callable<Integer> {

  /** How many of the last changes are shown. */
  private static final int CHANGES = 10;

  @Spec private CommandSpec spec;
  @Mixin private ServerUrl server;

  @Option(
      names = "--cluster",
      description = "Show the buses of the server's cluster. Takes a second, for the rates.")
  private boolean cluster;

  @Option(names = "--json", description = "As JSON, for scripts.")
  private boolean json;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  StatsCommand() {}

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    if (cluster) {
      showCluster(out);
      return 0;
    }
    JsonObject stats = server.get("/v1/stats");
    JsonObject shards = server.get("/v1/shards");
    if (json) {
      out.println(stats.put("shardList", shards.getJsonArray("shards")).encode());
      return 0;
    }
    for (String name :
        new String[] {
          "offered",
          "accepted",
          "delivered",
          "evicted",
          "deadLettered",
          "pendingInRings",
          "inFlight",
          "fencedEvents",
          "waiting",
          "deadLettersKept"
        }) {
      out.printf("%-20s %,15d%n", name, stats.getLong(name));
    }
    stats
        .getJsonObject("refused")
        .forEach(
            e ->
                out.printf(
                    "%-20s %,15d%n", "refused " + e.getKey(), ((Number) e.getValue()).longValue()));
    JsonObject storage = stats.getJsonObject("storage");
    if (storage != null) {
      out.printf("%n%s%n", StorageText.line(storage));
    }
    out.printf(
        "%n%6s %-13s %6s %7s %15s %15s%n",
        "shard", "state", "fill", "slots", "accepted", "delivered");
    for (Object each : shards.getJsonArray("shards")) {
      JsonObject shard = (JsonObject) each;
      out.printf(
          "%6d %-13s %5.1f%% %7d %,15d %,15d%n",
          shard.getInteger("id"),
          shard.getString("state"),
          100 * shard.getDouble("fillRatio"),
          shard.getInteger("slots"),
          shard.getLong("accepted"),
          shard.getLong("delivered"));
    }
    JsonObject scaling = stats.getJsonObject("scaling");
    if (!"none".equals(scaling.getString("limitedBy"))) {
      out.printf("%nlimited: %s%n", ScalingText.limit(scaling));
    }
    JsonArray recent = scaling.getJsonArray("recent");
    if (!recent.isEmpty()) {
      out.printf("%nlast changes of the shards, the oldest first%n");
    }
    for (int i = Math.max(0, recent.size() - CHANGES); i < recent.size(); i++) {
      out.println(ScalingText.change(recent.getJsonObject(i)));
    }
    out.flush();
    return 0;
  }

  private void showCluster(PrintWriter out) throws Exception {
    JsonObject before = server.get("/v1/cluster");
    if (json) {
      out.println(before.encode());
      return;
    }
    long start = System.nanoTime();
    Thread.sleep(1000);
    JsonArray nodes = server.get("/v1/cluster").getJsonArray("nodes");
    double seconds = (System.nanoTime() - start) / 1e9;
    out.printf(
        "%-30s %6s %12s %12s %12s %12s  %s%n",
        "node", "shards", "accepted/s", "delivered/s", "refused", "lag", "sink");
    for (Object each : nodes) {
      JsonObject node = (JsonObject) each;
      String name = node.getString("name") + (node.getBoolean("self") ? " *" : "");
      if (!node.getBoolean("answers")) {
        out.printf(
            "%-30s does not answer, silent for %d s%n", name, node.getLong("silentMillis") / 1000);
        continue;
      }
      out.printf(
          "%-30s %6d %12s %12s %,12d %,12d  %s%n",
          name,
          node.getInteger("shards"),
          rate(before, node, "accepted", seconds),
          rate(before, node, "delivered", seconds),
          node.getLong("refused"),
          node.getLong("lag"),
          node.getInteger("sinkFailing") == 0
              ? node.getString("sink")
              : node.getString("sink") + " fails: " + node.getString("error", ""));
    }
    out.flush();
  }

  /** Empty for a node that did not answer before. */
  private static String rate(JsonObject before, JsonObject node, String count, double seconds) {
    return before.getJsonArray("nodes").stream()
        .map(JsonObject.class::cast)
        .filter(same -> same.getString("id").equals(node.getString("id")))
        .filter(same -> same.containsKey(count))
        .map(same -> (node.getLong(count) - same.getLong(count)) / seconds)
        .map(rate -> String.format("%,.0f", rate))
        .findFirst()
        .orElse("");
  }
}
