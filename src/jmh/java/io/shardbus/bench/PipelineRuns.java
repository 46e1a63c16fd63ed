package io.shardbus.bench;

import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.RunnerException;

/** The rounds of {@link Throughput} and {@link Sweep}. */
final class PipelineRuns {

  private static final int THROUGHPUT_ROUNDS = 5;
  private static final int SWEEP_ROUNDS = 3;

  private final Harness harness;
  private final String seed;
  private final Schedule schedule;
  private int groups;

  /** The parameter {@code seed} repeats an order. */
  PipelineRuns(Harness harness) {
    this.harness = harness;
    seed = harness.values("seed", "" + new Random().nextInt(1_000_000)).get(0);
    schedule = new Schedule(Long.parseLong(seed));
  }

  /**
   * @return how it was run; empty if nothing was
   */
  String run() throws RunnerException {
    return throughput() + sweep();
  }

  private String throughput() throws RunnerException {
    String[] all = Stream.of(Contender.values()).map(Contender::name).toArray(String[]::new);
    Set<Setting> settings = new LinkedHashSet<>();
    for (String bytes : harness.values("bytes", "" + Setting.BASE.bytes())) {
      for (String producers : harness.values("producers", "" + Setting.BASE.producers())) {
        for (String shards : harness.values("shards", "" + Setting.BASE.shards())) {
          settings.add(
              new Setting(
                  Integer.parseInt(producers), Integer.parseInt(shards), Integer.parseInt(bytes)));
        }
      }
    }
    return run(Throughput.class, THROUGHPUT_ROUNDS, harness.values("system", all), settings);
  }

  private String sweep() throws RunnerException {
    return run(
        Sweep.class,
        SWEEP_ROUNDS,
        harness.values("system", "BARE_RING", "BUS", "BUS_BATCHES"),
        Sweep.settings(
            harness.values("producers", "1", "2", "4", "8"),
            harness.values("shards", "1", "2", "4", "8"),
            harness.values("bytes", "64", "128", "1024", "16384")));
  }

  private String run(
      Class<? extends PipelineBenchmark> benchmarks,
      int roundsByDefault,
      List<String> systems,
      Collection<Setting> settings)
      throws RunnerException {
    List<Contender> contenders = systems.stream().map(Contender::valueOf).toList();
    int rounds = harness.rounds(roundsByDefault);
    for (int round = 0; round < rounds; round++) {
      for (Schedule.Group group : schedule.round(contenders, settings)) {
        Rounds.Time time = new Rounds.Time(round, groups++);
        for (Contender system : group.systems()) {
          Collection<RunResult> results = harness.run(benchmarks, time, system, group.setting());
          if (results.isEmpty()) {
            return "";
          }
          report(benchmarks, time, system, group.setting(), results);
        }
      }
    }
    return "- %s: %d rounds, order shuffled with seed %s%n"
        .formatted(benchmarks.getSimpleName(), rounds, seed);
  }

  private static void report(
      Class<?> benchmarks,
      Rounds.Time time,
      Contender system,
      Setting setting,
      Collection<RunResult> results) {
    for (RunResult result : results) {
      System.out.printf(
          Locale.ROOT,
          "%s, round %d, group %d: %s, %s: %.2f million events/s%n",
          benchmarks.getSimpleName(),
          time.round() + 1,
          time.group() + 1,
          setting,
          system.title(),
          Rounds.score(result) / 1e6);
    }
  }
}
