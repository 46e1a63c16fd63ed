package io.shardbus.app.soak;

import io.shardbus.BusStats;
import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.shard.ShardAccounting;
import io.shardbus.verticle.BatchOptions;
import io.shardbus.verticle.DeliveryOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A bus from its start to its end under producers, chaos and a bad sink; then its books. */
final class SoakRound {

  private static final BackpressureMode[] MODES = {
    BackpressureMode.FAIL_PRODUCER,
    BackpressureMode.DROP_NEWEST,
    BackpressureMode.DROP_OLDEST,
    BackpressureMode.sample(3)
  };
  private static final int[] RINGS = {1024, 4096, 65_536};
  private static final int PRODUCERS_OF_A_KIND = 2;
  private static final long PATIENCE_SECONDS = 240;

  private final long seed;
  private final Violations violations = new Violations();
  private final SoakSink sink;
  private final List<SoakProducer> producers = new ArrayList<>();
  private final ShardBusOptions options;
  private final long events;

  /** What a round came to. */
  record Result(
      long seed,
      String plan,
      long offered,
      long delivered,
      long scalings,
      int kills,
      List<String> violations,
      long violationCount) {}

  SoakRound(long seed, long events) {
    this.seed = seed;
    this.events = events;
    sink = new SoakSink(seed, violations);
    Random dice = new Random(seed);
    int maxBatch = 1 << (4 + dice.nextInt(9));
    options =
        new ShardBusOptions()
            .setBackpressure(MODES[Math.floorMod(seed, MODES.length)])
            .setRingCapacity(RINGS[dice.nextInt(RINGS.length)])
            .setShards(1 + dice.nextInt(4))
            .setCloseTimeout(Duration.ofSeconds(PATIENCE_SECONDS / 2))
            .setScaling(
                new ScalingPolicy()
                    .setAutoScale(false)
                    .setMaxShards(4 + dice.nextInt(12))
                    .setMetricsWindow(Duration.ofMillis(10)))
            .setBatch(
                new BatchOptions()
                    .setMinSize(1 + dice.nextInt(maxBatch))
                    .setMaxSize(maxBatch)
                    .setMaxDelay(Duration.ofMillis(1 + dice.nextInt(5))))
            .setDelivery(
                new DeliveryOptions()
                    .setTimeout(Duration.ofMillis(30))
                    .setInitialBackoff(Duration.ofMillis(1))
                    .setMaxBackoff(Duration.ofMillis(10)));
  }

  Result run() throws Exception {
    Vertx vertx = Vertx.vertx();
    try {
      return run(vertx);
    } finally {
      await(vertx.close());
    }
  }

  private Result run(Vertx vertx) throws Exception {
    ShardBus bus = await(ShardBus.start(vertx, options, sink));
    double shares = 0;
    for (SoakProducer.Kind kind : SoakProducer.Kind.values()) {
      shares += kind.share;
    }
    for (SoakProducer.Kind kind : SoakProducer.Kind.values()) {
      long part = Math.round(events * kind.share / shares / PRODUCERS_OF_A_KIND);
      for (int i = 0; i < PRODUCERS_OF_A_KIND; i++) {
        producers.add(new SoakProducer(producers.size(), kind, part, vertx, bus, seed, violations));
      }
    }
    SoakChaos chaos = new SoakChaos(vertx, bus, seed, violations);
    chaos.start();
    producers.forEach(Thread::start);
    for (SoakProducer producer : producers) {
      producer.join(PATIENCE_SECONDS * 1000);
      if (producer.isAlive()) {
        throw new TimeoutException(producer.getName() + " waits in vain");
      }
    }
    chaos.end();
    await(bus.close());
    same("verticles left", 0, vertx.deploymentIDs().size());
    audit(bus.stats(), bus);
    BusStats.Scaling scaling = bus.stats().scaling();
    return new Result(
        seed,
        plan(),
        bus.stats().offered(),
        bus.stats().total().delivered(),
        scaling.added() + scaling.removed(),
        chaos.kills(),
        violations.shown(),
        violations.count());
  }

  private String plan() {
    return String.format(
        Locale.ROOT,
        "%s, ring %d, batches of %d to %d",
        options.getBackpressure(),
        options.getRingCapacity(),
        options.getBatch().getMinSize(),
        options.getBatch().getMaxSize());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }

  // ---------------------------------------------------------------- the books

  private void audit(BusStats stats, ShardBus bus) {
    long offered = 0;
    long accepted = 0;
    for (SoakProducer producer : producers) {
      offered += producer.events();
      accepted += producer.acceptedCount();
    }
    ShardAccounting total = stats.total();
    same("offered", offered, stats.offered());
    same("accepted", accepted, total.accepted());
    balanced("in total", total);
    if (!options.getBackpressure().equals(BackpressureMode.DROP_OLDEST)) {
      same("evicted", 0, total.evicted());
    }
    long taken = 0;
    for (Map.Entry<Integer, SoakSink.Lane> entry : sink.lanes().entrySet()) {
      SoakSink.Lane lane = entry.getValue();
      ShardAccounting account = bus.shards().accounting(entry.getKey()).orElseThrow();
      String shard = "shard " + entry.getKey() + ": ";
      balanced(shard, account);
      same(shard + "delivered", lane.taken(), account.delivered());
      same(shard + "dead-lettered", lane.refused(), account.deadLettered());
      taken += lane.taken();
    }
    same("delivered", taken, total.delivered());
    auditEvents(total);
  }

  private void balanced(String where, ShardAccounting a) {
    same(where + " accounted for", a.accepted(), a.delivered() + a.evicted() + a.deadLettered());
    same(where + " pending", 0, a.pending());
  }

  private void same(String what, long expected, long actual) {
    violations.check(expected == actual, "%s: %d instead of %d", what, actual, expected);
  }

  private void auditEvents(ShardAccounting total) {
    List<BitSet> delivered = new ArrayList<>();
    producers.forEach(producer -> delivered.add(new BitSet()));
    sink.lanes().forEach((shard, lane) -> auditLane(shard, lane, delivered));
    for (SoakProducer producer : producers) {
      BitSet got = delivered.get(producer.id());
      long lost = 0;
      for (long place = 0; place < producer.events(); place++) {
        boolean accepted = !producer.knowsEach() || producer.accepted(place);
        if (got.get((int) place)) {
          violations.check(
              accepted, "producer %d: %d was delivered but refused", producer.id(), place);
        } else if (producer.knowsEach()
            && accepted
            && !SoakEvent.poisonous(SoakEvent.code(producer.id(), place))) {
          lost++;
        }
      }
      violations.check(
          lost == 0 || total.evicted() >= lost,
          "producer %d: %d events were accepted and are nowhere",
          producer.id(),
          lost);
    }
  }

  private void auditLane(int shard, SoakSink.Lane lane, List<BitSet> delivered) {
    Map<Long, Long> lastPlaces = new HashMap<>();
    for (int sequence = 0; sequence < lane.count(); sequence++) {
      long code = lane.code(sequence);
      if (code == SoakSink.Lane.REFUSED) {
        continue;
      }
      SoakProducer producer = producers.get(SoakEvent.producer(code));
      long place = SoakEvent.place(code);
      BitSet seen = delivered.get(producer.id());
      violations.check(!seen.get((int) place), "producer %d: %d came twice", producer.id(), place);
      seen.set((int) place);
      long thread = 100L * producer.id() + (producer.orderedByKeyOnly() ? SoakEvent.key(code) : 0);
      Long last = lastPlaces.put(thread, place);
      violations.check(
          last == null || last < place,
          "shard %d: of producer %d, %d came after %d",
          shard,
          producer.id(),
          place,
          last == null ? -1 : last);
    }
  }
}
