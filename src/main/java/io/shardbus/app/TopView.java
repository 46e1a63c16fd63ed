package io.shardbus.app;

import io.shardbus.options.Counted;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** The picture that {@code shardbus top} draws. */
final class TopView {

  private static final int MOST_BAR = 20;

  /** What a line of a shard takes beside its bar. */
  private static final int BESIDE_BAR = 70;

  private final int columns;
  private final int lines;
  private final int bar;

  /** For a terminal of that size. Lines that do not fit are left out. */
  TopView(int columns, int lines) {
    this.columns = columns;
    this.lines = lines;
    bar = Math.max(1, Math.min(MOST_BAR, columns - BESIDE_BAR));
  }

  /** The answer of a server at one time. */
  record Look(long nanos, JsonObject stats, JsonObject shards) {}

  /** One picture, with the rates between two readings. */
  List<String> lines(Look before, Look now) {
    double seconds = seconds(before, now);
    List<String> all = new ArrayList<>(totals(before.stats(), now.stats(), seconds));
    all.addAll(scaling(now.stats().getJsonObject("scaling")));
    all.add("");
    all.add(
        String.format(
            Locale.ROOT,
            "%5s %-12s %-" + (bar + 9) + "s %10s %9s %6s %s",
            "SHARD",
            "STATE",
            "FILL",
            "EVENTS/S",
            "LAG",
            "SLOTS",
            "SINK"));
    Map<Integer, JsonObject> old = byId(before.shards());
    byId(now.shards())
        .forEach(
            (id, shard) -> {
              all.add(shard(shard, old.getOrDefault(id, shard), seconds));
              if (shard.getLong("fencedEvents", 0L) > 0) {
                all.add(fenced(shard));
              }
            });
    return all.stream()
        .map(line -> line.length() > columns ? line.substring(0, columns) : line)
        .limit(lines)
        .toList();
  }

  /** The same for scripts: the output of {@code stats --json}, with rates. */
  static JsonObject json(Look before, Look now) {
    double seconds = seconds(before, now);
    JsonArray shards = new JsonArray();
    Map<Integer, JsonObject> old = byId(before.shards());
    byId(now.shards())
        .forEach((id, shard) -> shards.add(withRates(shard, old.getOrDefault(id, shard), seconds)));
    return withRates(now.stats(), before.stats(), seconds).put("shardList", shards);
  }

  private static JsonObject withRates(JsonObject now, JsonObject before, double seconds) {
    JsonObject all = now.copy();
    for (String counter : List.of("accepted", "delivered")) {
      double rate = rate(now.getLong(counter), before.getLong(counter), seconds);
      all.put(counter + "PerSecond", Math.round(rate));
    }
    return all.put("refusedPerSecond", Math.round(rate(refused(now), refused(before), seconds)));
  }

  private static double seconds(Look before, Look now) {
    return Math.max(1, now.nanos() - before.nanos()) / 1e9;
  }

  private static List<String> totals(JsonObject before, JsonObject now, double seconds) {
    long refused = refused(now);
    return List.of(
        String.format(
            Locale.ROOT,
            "%s, sink %s",
            Counted.of(now.getInteger("shards"), "shard"),
            now.getString("sink")),
        String.format(
            Locale.ROOT,
            "accepted %,d (%,.0f/s)  delivered %,d (%,.0f/s)  pending %,d",
            now.getLong("accepted"),
            rate(now.getLong("accepted"), before.getLong("accepted"), seconds),
            now.getLong("delivered"),
            rate(now.getLong("delivered"), before.getLong("delivered"), seconds),
            now.getLong("pendingInRings") + now.getLong("inFlight")),
        String.format(
            Locale.ROOT,
            "refused %,d (%,.0f/s)  evicted %,d  dead-lettered %,d",
            refused,
            rate(refused, refused(before), seconds),
            now.getLong("evicted"),
            now.getLong("deadLettered")));
  }

  /** The last change, and what stands in the way of the next; nothing if there is neither. */
  private static List<String> scaling(JsonObject scaling) {
    List<String> all = new ArrayList<>(2);
    JsonArray recent = scaling.getJsonArray("recent");
    if (!recent.isEmpty()) {
      all.add("last change: " + ScalingText.change(recent.getJsonObject(recent.size() - 1)));
    }
    if (!"none".equals(scaling.getString("limitedBy"))) {
      all.add("limited: " + ScalingText.limit(scaling));
    }
    return all;
  }

  private static long refused(JsonObject stats) {
    return stats.getJsonObject("refused").stream()
        .mapToLong(reason -> ((Number) reason.getValue()).longValue())
        .sum();
  }

  private static Map<Integer, JsonObject> byId(JsonObject shards) {
    Map<Integer, JsonObject> all = new TreeMap<>();
    for (Object each : shards.getJsonArray("shards")) {
      JsonObject shard = (JsonObject) each;
      all.put(shard.getInteger("id"), shard);
    }
    return all;
  }

  private String shard(JsonObject shard, JsonObject before, double seconds) {
    double fill = shard.getDouble("fillRatio");
    int full = (int) Math.round(fill * bar);
    return String.format(
        Locale.ROOT,
        "%5d %-12s [%s%s] %5.1f%% %,10.0f %,9d %6d %s",
        shard.getInteger("id"),
        shard.getString("state"),
        "#".repeat(full),
        " ".repeat(bar - full),
        100 * fill,
        rate(shard.getLong("accepted"), before.getLong("accepted"), seconds),
        shard.getLong("pendingInRing") + shard.getLong("inFlight"),
        shard.getInteger("slots"),
        sink(shard, before));
  }

  private static String fenced(JsonObject shard) {
    return String.format(
        Locale.ROOT,
        "       %,d wait at a fence, oldest %.1f s",
        shard.getLong("fencedEvents"),
        shard.getLong("fenceWaitMillis") / 1e3);
  }

  private static String sink(JsonObject shard, JsonObject before) {
    if (!"closed".equals(shard.getString("circuit"))) {
      return "failing";
    }
    long refused = shard.getLong("deadLettered");
    if (refused > before.getLong("deadLettered")
        || (refused > 0 && shard.getLong("delivered") == 0)) {
      return "refusing";
    }
    return shard.getLong("failures") > 0 ? "retrying" : "good";
  }

  private static double rate(long now, long before, double seconds) {
    return Math.max(0, now - before) / seconds;
  }
}
