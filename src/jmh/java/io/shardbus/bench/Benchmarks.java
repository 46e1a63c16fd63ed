package io.shardbus.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs benchmarks and studies, and writes {@code results.md} and {@code throughput.svg}. The system
 * property {@code jmh.args} holds options as JMH's own command line takes them, except that {@code
 * -f} is the number of rounds: in each, every benchmark is run once in a JVM of its own.
 */
public final class Benchmarks {

  private static final int DEFAULT_ROUNDS = 3;
  private static final int DEFAULT_SECONDS = 5;

  private final Path folder;
  private final CommandLineOptions options;
  private final Rounds rounds = new Rounds();
  private final StringBuilder results = new StringBuilder("# Benchmarks\n\n");

  private Benchmarks(Path folder, CommandLineOptions options) {
    this.folder = folder;
    this.options = options;
  }

  /**
   * @param arguments the folder for the results; the current one by default
   */
  public static void main(String[] arguments)
      throws CommandLineOptionException, IOException, RunnerException, InterruptedException {
    String[] words =
        Arrays.stream(System.getProperty("jmh.args", "").split("\\s+"))
            .filter(word -> !word.isEmpty())
            .toArray(String[]::new);
    CommandLineOptions options = new CommandLineOptions(words);
    if (options.shouldHelp()) {
      options.showHelp();
    } else if (options.shouldList()) {
      new Runner(options).list();
    } else {
      new Benchmarks(Path.of(arguments.length == 0 ? "." : arguments[0]), options).run();
    }
  }

  private void run() throws IOException, RunnerException, InterruptedException {
    print(Machine.describe());
    runRounds();
    print(rounds.setups());
    ThroughputReport throughput = new ThroughputReport(rounds);
    for (Table table : throughput.tables()) {
      print(table.toString());
    }
    if (!throughput.chart().isEmpty()) {
      Files.writeString(folder.resolve("throughput.svg"), throughput.chart().toString());
      results.append("![throughput](throughput.svg)\n\n");
    }
    Table steps = StepsReport.table(rounds);
    if (!steps.isEmpty()) {
      print(steps.toString());
    }
    for (Study study : Study.values()) {
      if (study.chosenBy(options.getIncludes(), options.getExcludes())) {
        print(study.run(folder, seconds()));
      }
    }
    Files.writeString(folder.resolve("results.md"), results);
  }

  private void runRounds() throws RunnerException {
    int count = Math.max(1, options.getForkCount().orElse(DEFAULT_ROUNDS));
    for (int round = 0; round < count; round++) {
      try {
        rounds.add(
            new Runner(
                    new OptionsBuilder()
                        .parent(options)
                        .forks(1)
                        .shouldFailOnError(true)
                        .addProfiler(GCProfiler.class)
                        .build())
                .run());
      } catch (NoBenchmarksException e) {
        return; // only studies were chosen
      }
    }
  }

  private long seconds() {
    TimeValue time = options.getMeasurementTime().orElse(TimeValue.seconds(DEFAULT_SECONDS));
    return Math.max(1, time.convertTo(TimeUnit.SECONDS));
  }

  private void print(String markdown) {
    System.out.println(markdown);
    results.append(markdown).append('\n');
  }
}
