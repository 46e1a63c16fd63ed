package io.shardbus.app.soak;

import io.shardbus.BusStats;
import io.shardbus.ShardBus;
import io.shardbus.app.soak.SoakProducer.Way;
import io.shardbus.app.soak.Violations.Kind;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Runs a bus under producers, chaos and a bad sink, then checks its records. */
final class SoakRound {

  private static final int PRODUCERS_OF_A_WAY = 2;
  private static final long PATIENCE_SECONDS = 60;
  private static final long ANSWERS_SECONDS = 10;
  private static final double NEVER = 2;

  private final long seed;
  private final long events;
  private final SoakPlan plan;
  private final Violations violations = new Violations();
  private final SoakAnswers answers = new SoakAnswers();
  private final SoakKeys keys = new SoakKeys(violations);
  private final SoakSink sink;
  private final List<SoakProducer> producers = new ArrayList<>();

  /** The result of a round. */
  record Result(
      long seed,
      String plan,
      long offered,
      long delivered,
      long scalings,
      int kills,
      List<String> violations,
      Map<Kind, Long> counts,
      long violationCount) {}

  SoakRound(long seed, long events) {
    this.seed = seed;
    this.events = events;
    plan = new SoakPlan(seed);
    long timeout = plan.options.getDelivery().getTimeout().toMillis();
    sink = new SoakSink(seed, timeout, plan.silentSink, keys, violations);
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
    if (plan.owned) {
      SoakOwner.Owned owned = await(SoakOwner.deploy(vertx, plan, sink));
      return run(vertx, owned.bus(), () -> owned.undeploy(vertx));
    }
    ShardBus bus = await(ShardBus.start(vertx, plan.options, sink));
    return run(vertx, bus, bus::close);
  }

  private Result run(Vertx vertx, ShardBus bus, Supplier<Future<Void>> close) throws Exception {
    SoakEnd end = new SoakEnd(vertx, close, plan, answers, violations);
    SoakEngine engine = new SoakEngine(bus.shards(), violations);
    SoakChaos chaos =
        new SoakChaos(vertx, bus, engine, end, plan.automatic, seed, answers, violations);
    addProducers(vertx, bus, end);
    chaos.start();
    producers.forEach(Thread::start);
    for (SoakProducer producer : producers) {
      producer.join(PATIENCE_SECONDS * 1000);
      violations.check(
          !producer.isAlive(), Kind.UNANSWERED, "%s waits in vain", producer.getName());
    }
    if (plan.endsEarly()) {
      end.begin();
      await(end.closed().otherwiseEmpty());
      chaos.end();
    } else {
      chaos.end();
      end.begin();
      await(end.closed().otherwiseEmpty());
    }
    violations.check(bus.shards().isClosed(), Kind.OTHER, "its owner has gone, and it is open");
    await(bus.close().otherwiseEmpty());
    answers.await(ANSWERS_SECONDS, violations);
    violations.count(Kind.OTHER, vertx.deploymentIDs().size(), "verticles left");
    new SoakAudit(bus, producers, sink.lanes(), engine.leftovers(), violations).run();
    keys.audit();
    BusStats stats = bus.stats();
    return new Result(
        seed,
        plan.toString(),
        stats.offered(),
        stats.total().delivered(),
        stats.scaling().added() + stats.scaling().removed(),
        chaos.kills(),
        violations.shown(),
        violations.counts(),
        violations.count());
  }

  private void addProducers(Vertx vertx, ShardBus bus, SoakEnd end) {
    double shares = 0;
    for (Way way : Way.values()) {
      shares += way.share;
    }
    for (Way way : Way.values()) {
      long part = Math.round(events * way.share / shares / PRODUCERS_OF_A_WAY);
      for (int i = 0; i < PRODUCERS_OF_A_WAY; i++) {
        int id = producers.size();
        double until = id == 0 && plan.endsEarly() ? plan.end : NEVER;
        SoakLoad load = new SoakLoad(seed, plan.automatic);
        producers.add(
            new SoakProducer(
                id, way, part, vertx, bus, end, until, load, seed, answers, violations));
      }
    }
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }
}
