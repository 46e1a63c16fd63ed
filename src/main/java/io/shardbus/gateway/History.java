package io.shardbus.gateway;

import io.shardbus.BusStats;
import io.shardbus.ShardBus;
import io.shardbus.shard.ShardAccounting;
import io.shardbus.shard.ShardState;
import io.shardbus.sink.DeliveryObserver;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.Storage;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * {@code /v1/history}: samples of the last hour, of the bus and of at most 64 shards. Each takes 28
 * KB, all at most 1.9 MB. Samples read counts that exist, so an event costs nothing more. Only
 * latencies are counted here, two for each batch. Safe for any thread.
 */
final class History implements DeliveryObserver {

  static final long PERIOD_MILLIS = 5_000;
  static final int SAMPLES = 720;
  static final int MOST_SHARDS = 64;

  private static final List<String> OF_SHARD =
      List.of(
          "accepted",
          "delivered",
          "refused",
          "deadLettered",
          "p50Millis",
          "p99Millis",
          "p999Millis",
          "lag",
          "fenced");

  /** The samples of the bus or of a shard. */
  private static final class Series {

    final Map<String, float[]> values = new LinkedHashMap<>();
    final Latencies latencies = new Latencies();
    ShardAccounting counted = ShardAccounting.ZERO;
    long refused;
    long last;

    /** The value of a sample; NaN if there is none. */
    void set(String name, int at, double value) {
      float[] all = values.get(name);
      if (all == null) {
        all = new float[SAMPLES];
        Arrays.fill(all, Float.NaN);
        values.put(name, all);
      }
      all[at] = (float) value;
    }
  }

  private final ShardBus bus;
  private final LongSupplier wallMillis;
  private final LongSupplier nanoTime;
  private final long[] times = new long[SAMPLES];
  private final Series whole = new Series();
  private final Map<Integer, Series> shards = new ConcurrentHashMap<>();
  private long samples;
  private long sampledNanos;
  private int leftOut;

  /**
   * @param wallMillis the time, in ms since the epoch; may jump
   * @param nanoTime measures what has passed
   */
  History(ShardBus bus, LongSupplier wallMillis, LongSupplier nanoTime) {
    this.bus = bus;
    this.wallMillis = wallMillis;
    this.nanoTime = nanoTime;
    sampledNanos = nanoTime.getAsLong();
    read(0, Double.NaN); // what was before is in no rate
  }

  @Override
  public void confirmed(int shard, long oldest, long newest) {
    long now = bus.shards().nanoTime();
    // Those of a shard without samples are in the sum all the same.
    Latencies latencies = shards.getOrDefault(shard, whole).latencies;
    latencies.record(now - oldest);
    latencies.record(now - newest);
  }

  /** Takes a sample. Call it every {@link #PERIOD_MILLIS}; if a call is late, there is a gap. */
  synchronized void sample() {
    long nanos = nanoTime.getAsLong();
    long now = wallMillis.getAsLong();
    double seconds = (nanos - sampledNanos) / 1e9;
    sampledNanos = nanos;
    if (samples > 0) {
      long last = times[at(samples - 1)];
      if (now <= last) { // the clock was set back: the samples keep their age
        long back = last + (long) (seconds * 1e3) - now;
        Arrays.setAll(times, i -> times[i] - back);
      }
    }
    int at = at(samples);
    times[at] = now;
    read(at, seconds);
    samples++;
  }

  private static int at(long sample) {
    return (int) (sample % SAMPLES);
  }

  private void read(int at, double seconds) {
    BusStats stats = bus.stats();
    Map<Integer, BusStats.ShardStatus> present = new HashMap<>();
    stats.shards().forEach(shard -> present.put(shard.id(), shard));
    shards.values().removeIf(series -> samples - series.last >= SAMPLES);
    for (int id : present.keySet()) {
      if (shards.size() < MOST_SHARDS) {
        shards.computeIfAbsent(id, unknown -> new Series());
      }
    }
    leftOut = 0;
    present.keySet().forEach(id -> leftOut += shards.containsKey(id) ? 0 : 1);
    long[] latencies = Latencies.none();
    long fenced = 0;
    int active = 0;
    shards.forEach(
        (id, series) -> {
          long[] own = Latencies.none();
          series.latencies.moveTo(own);
          Arrays.setAll(latencies, i -> latencies[i] + own[i]);
          BusStats.ShardStatus shard = present.get(id);
          if (shard == null) {
            OF_SHARD.forEach(name -> series.set(name, at, Double.NaN));
          } else {
            series.last = samples;
            ShardAccounting account = shard.accounting();
            read(
                series,
                at,
                seconds,
                account,
                account.backpressure() + account.sampled(),
                shard.lanes().fencedEvents(),
                own);
          }
        });
    for (BusStats.ShardStatus shard : stats.shards()) {
      fenced += shard.lanes().fencedEvents();
      active += shard.state() == ShardState.ACTIVE ? 1 : 0;
    }
    whole.latencies.moveTo(latencies);
    ShardAccounting total = stats.total();
    read(whole, at, seconds, total, stats.refused(), fenced, latencies);
    Runtime memory = Runtime.getRuntime();
    Storage storage = ReplayableSink.storageOf(bus.sink());
    Long free = storage == null ? null : storage.freeBytes();
    whole.set("activeShards", at, active);
    whole.set("heapBytes", at, (double) (memory.totalMemory() - memory.freeMemory()));
    whole.set("storedBytes", at, storage == null ? Double.NaN : (double) storage.bytes());
    whole.set("freeBytes", at, free == null ? Double.NaN : (double) free);
  }

  private static void read(
      Series series,
      int at,
      double seconds,
      ShardAccounting now,
      long refused,
      long fenced,
      long[] latencies) {
    ShardAccounting then = series.counted;
    series.set("accepted", at, (now.accepted() - then.accepted()) / seconds);
    series.set("delivered", at, (now.delivered() - then.delivered()) / seconds);
    series.set("refused", at, (refused - series.refused) / seconds);
    series.set("deadLettered", at, (now.deadLettered() - then.deadLettered()) / seconds);
    series.set("p50Millis", at, Latencies.quantile(0.5, latencies));
    series.set("p99Millis", at, Latencies.quantile(0.99, latencies));
    series.set("p999Millis", at, Latencies.quantile(0.999, latencies));
    series.set("lag", at, (double) now.pending());
    series.set("fenced", at, (double) fenced);
    series.counted = now;
    series.refused = refused;
  }

  /** Answers with the samples of the bus, or of the shard that the parameter names. */
  void send(RoutingContext context, Pages pages) {
    String shard = context.request().getParam("shard");
    JsonObject json = json(shard);
    if (json == null) {
      Problem.send(context.response(), 404, "shard: there is no history of shard " + shard);
    } else {
      pages.send(context, json);
    }
  }

  /**
   * @param shard null for the bus
   * @return null if it has no samples
   */
  synchronized @Nullable JsonObject json(@Nullable String shard) {
    Series series = shard == null ? whole : null;
    if (shard != null) {
      long id = ReadParameters.whole(shard);
      series = id <= ReadParameters.MAX_SHARD ? shards.get((int) id) : null;
    }
    if (series == null) {
      return null;
    }
    JsonObject values = new JsonObject();
    series.values.forEach((name, all) -> values.put(name, array(i -> number(all[i]))));
    return new JsonObject()
        .put("periodMillis", PERIOD_MILLIS)
        .put("shards", new JsonArray(shards.keySet().stream().sorted().toList()))
        .put("shardsLeftOut", leftOut)
        .put("times", array(i -> times[i]))
        .put("series", values);
  }

  private JsonArray array(IntFunction<@Nullable Object> value) {
    JsonArray all = new JsonArray();
    LongStream.range(Math.max(0, samples - SAMPLES), samples)
        .forEach(sample -> all.add(value.apply(at(sample))));
    return all;
  }

  private static @Nullable Object number(float value) {
    if (Float.isNaN(value)) {
      return null;
    }
    double rounded = Math.round(value * 1e3) / 1e3;
    return rounded == Math.rint(rounded) ? (Object) (long) rounded : (Object) rounded;
  }
}
