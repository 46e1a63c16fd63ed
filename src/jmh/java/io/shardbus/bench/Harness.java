package io.shardbus.bench;

import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Runs benchmarks with the user's options, each in a JVM of its own. */
final class Harness {

  private final CommandLineOptions options;
  private final Rounds rounds;

  Harness(CommandLineOptions options, Rounds rounds) {
    this.options = options;
    this.rounds = rounds;
  }

  /** How many rounds the user wants. */
  int rounds(int byDefault) {
    return Math.max(1, options.getForkCount().orElse(byDefault));
  }

  /** The values of a parameter that the user wants. */
  List<String> values(String parameter, String... byDefault) {
    Collection<String> given = options.getParameter(parameter).orElse(List.of());
    return given.isEmpty() ? List.of(byDefault) : List.copyOf(given);
  }

  /** Runs what a class has and the user chose. */
  void run(Class<?> benchmarks, Rounds.Time time) throws RunnerException {
    run(benchmarks, time, new OptionsBuilder().parent(options));
  }

  /** Runs one system at one setting. Returns its result; empty if the user did not choose it. */
  Collection<RunResult> run(
      Class<?> benchmarks, Rounds.Time time, Contender system, Setting setting)
      throws RunnerException {
    return run(
        benchmarks,
        time,
        new OptionsBuilder()
            .parent(options)
            .verbosity(options.verbosity().orElse(VerboseMode.SILENT))
            .param("system", system.name())
            .param("producers", "" + setting.producers())
            .param("shards", "" + setting.shards())
            .param("bytes", "" + setting.bytes()));
  }

  private Collection<RunResult> run(
      Class<?> benchmarks, Rounds.Time time, ChainedOptionsBuilder builder) throws RunnerException {
    String allOthers = "^(?!" + Pattern.quote(benchmarks.getName() + '.') + ")";
    try {
      Collection<RunResult> results =
          new Runner(
                  builder
                      .exclude(allOthers)
                      .forks(1)
                      .shouldFailOnError(true)
                      .addProfiler(GCProfiler.class)
                      .build())
              .run();
      rounds.add(time, results);
      return results;
    } catch (NoBenchmarksException e) {
      return List.of();
    }
  }
}
