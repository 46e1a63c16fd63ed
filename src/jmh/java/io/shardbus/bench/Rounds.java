package io.shardbus.bench;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;

/**
 * The results of many runs of the same benchmarks. What is compared is compared between runs that
 * were near in time, so that a machine that is slow for a while is slow for all.
 */
final class Rounds {

  /** When something ran. */
  record Time(int round, int group) {}

  private record Run(Time time, double score) {}

  /** A benchmark with its parameters, and what each run gave. */
  static final class Case {

    private final BenchmarkParams params;
    private final List<Run> runs = new ArrayList<>();
    private final List<Double> allocations = new ArrayList<>();

    Case(BenchmarkParams params) {
      this.params = params;
    }

    BenchmarkParams params() {
      return params;
    }

    double score() {
      return Median.of(runs.stream().map(Run::score).toList());
    }

    double bytes() {
      return Median.of(allocations);
    }

    /** How this compares with another, group by group. */
    List<Double> ratiosInGroups(Case other) {
      return ratios(other, Time::group);
    }

    /** How this compares with another, round by round. */
    List<Double> ratiosInRounds(Case other) {
      return ratios(other, Time::round);
    }

    private List<Double> ratios(Case other, ToIntFunction<Time> near) {
      List<Double> ratios = new ArrayList<>();
      for (Run mine : runs) {
        for (Run its : other.runs) {
          if (near.applyAsInt(mine.time) == near.applyAsInt(its.time)) {
            ratios.add(mine.score / its.score);
          }
        }
      }
      return ratios;
    }
  }

  private final Map<String, Case> cases = new LinkedHashMap<>();

  void add(Time time, Collection<RunResult> results) {
    for (RunResult result : results) {
      Case known =
          cases.computeIfAbsent(id(result.getParams()), id -> new Case(result.getParams()));
      known.runs.add(new Run(time, score(result)));
      Result<?> allocated = result.getSecondaryResults().get("gc.alloc.rate.norm");
      if (allocated != null) {
        known.allocations.add(allocated.getScore());
      }
    }
  }

  /** The median of a run's iterations, or of its samples if each call is one. */
  static double score(RunResult result) {
    return result.getPrimaryResult().getStatistics().getPercentile(50);
  }

  private static String id(BenchmarkParams params) {
    StringBuilder id = new StringBuilder(params.getBenchmark());
    for (String key : new TreeSet<>(params.getParamsKeys())) {
      id.append(' ').append(key).append('=').append(params.getParam(key));
    }
    return id.toString();
  }

  /** How the benchmarks were run: flags of the JVM, warm-up and measurement. */
  String setups() {
    return cases.values().stream()
        .map(
            each ->
                "- %s: flags %s, warm-up %s, measurement %s%n"
                    .formatted(
                        className(each.params),
                        String.join(" ", each.params.getJvmArgs()),
                        iterations(each.params.getWarmup()),
                        iterations(each.params.getMeasurement())))
        .distinct()
        .collect(Collectors.joining());
  }

  private static String iterations(IterationParams params) {
    return params.getCount() + " x " + params.getTime();
  }

  private static String className(BenchmarkParams params) {
    String name = params.getBenchmark().substring(0, params.getBenchmark().lastIndexOf('.'));
    return name.substring(name.lastIndexOf('.') + 1);
  }

  /** The cases of a class of benchmarks. */
  List<Case> of(Class<?> benchmarks) {
    String prefix = benchmarks.getName() + '.';
    return cases.values().stream()
        .filter(each -> each.params.getBenchmark().startsWith(prefix))
        .toList();
  }
}
