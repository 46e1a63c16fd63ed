package io.shardbus.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** A measurement that is a program of its own, run in a JVM of its own. */
enum Study {
  LATENCY(LatencyStudy.class),
  WAKE_UP(WakeUpStudy.class),
  SCALING(ScalingStudy.class),
  SCALING_LOAD(ScalingLoadStudy.class),
  METRICS(MetricsStudy.class),
  MEMORY(MemoryStudy.class),
  START_UP(StartUpStudy.class),
  NETWORK(NetworkStudy.class),
  DURABLE(DurableStudy.class),
  LOG(LogStudy.class);

  private static final List<String> JVM_FLAGS = List.of("-Xms2g", "-Xmx2g", "-XX:+AlwaysPreTouch");

  private final Class<?> program;

  Study(Class<?> program) {
    this.program = program;
  }

  /**
   * Whether a pattern finds the program's name, as JMH chooses: no pattern to include means all.
   */
  boolean chosenBy(List<String> includes, List<String> excludes) {
    return (includes.isEmpty() || isFound(includes)) && !isFound(excludes);
  }

  private boolean isFound(List<String> patterns) {
    return patterns.stream()
        .anyMatch(each -> Pattern.compile(each).matcher(program.getName()).find());
  }

  /**
   * Runs the program.
   *
   * @param seconds how long it measures each of its cases
   * @return what it printed on its standard output: Markdown
   */
  String run(Path folder, long seconds) throws IOException, InterruptedException {
    Path output = folder.resolve(program.getSimpleName() + ".md");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(JVM_FLAGS);
    command.add("-Dlogback.configurationFile=io/shardbus/app/logback.xml"); // logs to stderr
    command.addAll(
        List.of("-cp", System.getProperty("java.class.path"), program.getName(), "" + seconds));
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(output.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    int status = process.waitFor();
    if (status != 0) {
      throw new IllegalStateException(program.getSimpleName() + " ended with " + status);
    }
    return Files.readString(output)
        + "Flags: "
        + String.join(" ", JVM_FLAGS)
        + ", "
        + seconds
        + " s a measurement\n";
  }

  /** The first argument, or 5. */
  static long nanos(String[] arguments) {
    return TimeUnit.SECONDS.toNanos(arguments.length == 0 ? 5 : Long.parseLong(arguments[0]));
  }
}
