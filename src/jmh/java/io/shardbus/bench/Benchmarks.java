package io.shardbus.bench;

import io.shardbus.delivery.ConsumerSteps;
import io.shardbus.event.JsonSteps;
import io.shardbus.shard.Steps;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs benchmarks and studies, and writes {@code results.md} and {@code throughput.svg}. The system
 * property {@code jmh.args} holds options as JMH's own command line takes them, except that {@code
 * -f} is the number of rounds: in each, every benchmark is run in a JVM of its own, and that {@code
 * -p seed=} repeats the order of an earlier run.
 */
public final class Benchmarks {

  private static final List<Class<?>> STEPS =
      List.of(Steps.class, ConsumerSteps.class, JsonSteps.class);
  private static final int STEPS_ROUNDS = 3;
  private static final int DEFAULT_SECONDS = 5;

  private final Path folder;
  private final CommandLineOptions options;
  private final Rounds rounds = new Rounds();
  private final Harness harness;
  private final StringBuilder results = new StringBuilder("# Benchmarks\n\n");

  private Benchmarks(Path folder, CommandLineOptions options) {
    this.folder = folder;
    this.options = options;
    harness = new Harness(options, rounds);
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
    String order = new PipelineRuns(harness).run();
    runSteps();
    print(order + rounds.setups());
    ThroughputReport throughput = new ThroughputReport(rounds);
    SweepReport sweep = new SweepReport(rounds);
    Stream.of(throughput.tables(), sweep.tables(), StepsReport.tables(rounds, STEPS))
        .flatMap(List::stream)
        .forEach(table -> print(table.toString()));
    BarChart chart = new BarChart("Million events per second");
    throughput.draw(chart);
    sweep.draw(chart);
    if (!chart.isEmpty()) {
      Files.writeString(folder.resolve("throughput.svg"), chart.toString());
      results.append("![throughput](throughput.svg)\n\n");
    }
    for (Study study : Study.values()) {
      if (study.chosenBy(options.getIncludes(), options.getExcludes())) {
        print(study.run(folder, seconds()));
      }
    }
    Files.writeString(folder.resolve("results.md"), results);
  }

  private void runSteps() throws RunnerException {
    for (int round = 0; round < harness.rounds(STEPS_ROUNDS); round++) {
      for (Class<?> steps : STEPS) {
        harness.run(steps, new Rounds.Time(round, round));
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
