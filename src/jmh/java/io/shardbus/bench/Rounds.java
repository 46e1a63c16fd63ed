package io.shardbus.bench;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;

/**
 * The results of several runs of the same benchmarks, one after the other. What is compared is
 * compared within a round, so that a machine that is slow for a while is slow for all.
 */
final class Rounds {

  /** A benchmark with its parameters, and what each round gave. */
  static final class Case {

    private final BenchmarkParams params;
    private final List<Double> scores = new ArrayList<>();
    private final List<Double> allocations = new ArrayList<>();

    Case(BenchmarkParams params) {
      this.params = params;
    }

    BenchmarkParams params() {
      return params;
    }

    double score() {
      return Median.of(scores);
    }

    double bytes() {
      return Median.of(allocations);
    }

    /** How this compares with another, round by round. */
    List<Double> ratiosTo(Case other) {
      return IntStream.range(0, Math.min(scores.size(), other.scores.size()))
          .mapToObj(round -> scores.get(round) / other.scores.get(round))
          .toList();
    }
  }

  private final Map<String, Case> cases = new LinkedHashMap<>();

  void add(Collection<RunResult> round) {
    for (RunResult result : round) {
      Case known =
          cases.computeIfAbsent(id(result.getParams()), id -> new Case(result.getParams()));
      known.scores.add(result.getPrimaryResult().getScore());
      Result<?> allocated = result.getSecondaryResults().get("gc.alloc.rate.norm");
      if (allocated != null) {
        known.allocations.add(allocated.getScore());
      }
    }
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
                "- %s: flags %s, warm-up %s, measurement %s, %d rounds%n"
                    .formatted(
                        className(each.params),
                        String.join(" ", each.params.getJvmArgs()),
                        iterations(each.params.getWarmup()),
                        iterations(each.params.getMeasurement()),
                        each.scores.size()))
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
