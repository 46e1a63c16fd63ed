package io.shardbus.app.soak;

import io.shardbus.app.soak.Violations.Kind;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Rounds, one after the other, until the time is up, enough was done or a promise is broken. */
public final class Soak {

  private static final long EVENTS_PER_ROUND = 1_000_000;

  private final PrintWriter out;
  private final boolean json;
  private final long firstSeed;
  private long rounds;
  private long offered;
  private long delivered;
  private long scalings;
  private long kills;
  private final Map<Kind, Long> violations = new EnumMap<>(Kind.class);
  private boolean broken;

  /**
   * @param firstSeed the seed of the first round; each further round has the next one
   * @param out gets a line for each round, and one for the result
   * @param json whether these lines are JSON objects
   */
  public Soak(long firstSeed, PrintWriter out, boolean json) {
    this.firstSeed = firstSeed;
    this.out = out;
    this.json = json;
  }

  /**
   * Runs whole rounds, at least one.
   *
   * @param time after which no further round begins
   * @param maxRounds after how many it ends in any case
   * @return whether all promises were kept
   * @throws Exception if a round could not be brought to its end
   */
  public boolean run(Duration time, long maxRounds) throws Exception {
    long start = System.nanoTime();
    do {
      long seed = firstSeed + rounds;
      SoakRound.Result round;
      try {
        round = new SoakRound(seed, EVENTS_PER_ROUND).run();
      } catch (Exception e) {
        out.println(
            json
                ? new JsonObject().put("seed", seed).put("error", e.toString()).encode()
                : "seed " + seed + ": the round did not end: " + e);
        out.flush();
        throw e;
      }
      report(round);
      rounds++;
    } while (!broken && rounds < maxRounds && System.nanoTime() - start < time.toNanos());
    summarize((System.nanoTime() - start) / 1_000_000_000);
    return !broken;
  }

  private void summarize(long seconds) {
    if (json) {
      JsonObject all = counts(offered, delivered, scalings, kills);
      out.println(
          all.mergeIn(kinds(violations))
              .put("rounds", rounds)
              .put("seconds", seconds)
              .put("promisesKept", !broken)
              .encode());
    } else {
      out.printf(
          Locale.ROOT,
          "%s: %,d events offered, %,d delivered, %,d scalings, %,d verticles killed, %,d rounds"
              + " in %,d s%n",
          broken ? "PROMISES BROKEN (" + words(violations) + ")" : "all promises kept",
          offered,
          delivered,
          scalings,
          kills,
          rounds,
          seconds);
    }
    out.flush();
  }

  private static JsonObject counts(long offered, long delivered, long scalings, long kills) {
    return new JsonObject()
        .put("offered", offered)
        .put("delivered", delivered)
        .put("scalings", scalings)
        .put("kills", kills);
  }

  private static JsonObject kinds(Map<Kind, Long> violations) {
    JsonObject counts = new JsonObject();
    violations.forEach((kind, count) -> counts.put(kind.word(), count));
    return counts;
  }

  private static String words(Map<Kind, Long> violations) {
    return violations.entrySet().stream()
        .filter(kind -> kind.getValue() > 0)
        .map(kind -> kind.getValue() + " " + kind.getKey().word())
        .collect(Collectors.joining(", "));
  }

  private void report(SoakRound.Result round) {
    offered += round.offered();
    delivered += round.delivered();
    scalings += round.scalings();
    kills += round.kills();
    round.counts().forEach((kind, count) -> violations.merge(kind, count, Long::sum));
    broken |= round.violationCount() > 0;
    if (json) {
      out.println(
          new JsonObject()
              .put("seed", round.seed())
              .put("plan", round.plan())
              .mergeIn(counts(round.offered(), round.delivered(), round.scalings(), round.kills()))
              .mergeIn(kinds(round.counts()))
              .put("violationCount", round.violationCount())
              .put("violations", new JsonArray(round.violations()))
              .encode());
    } else {
      out.printf(
          Locale.ROOT,
          "seed %d: %s: %,d offered, %,d delivered, %d scalings, %d kills, %s%n",
          round.seed(),
          round.plan(),
          round.offered(),
          round.delivered(),
          round.scalings(),
          round.kills(),
          round.violationCount() == 0
              ? "ok"
              : round.violationCount() + " VIOLATIONS (" + words(round.counts()) + ")");
      round.violations().forEach(violation -> out.println("  " + violation));
    }
    out.flush();
  }

  /**
   * Shards added and removed so far.
   *
   * @return how many
   */
  public long scalings() {
    return scalings;
  }
}
