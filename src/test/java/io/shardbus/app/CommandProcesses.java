package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/** The command line in processes of its own, as a person has it. */
final class CommandProcesses {

  private final Path dir;
  private final List<String> program;
  private final List<Process> processes = new ArrayList<>();

  /** A process, and the files that it writes to. */
  record Run(Process process, Path out, Path err) {

    String stdout() throws IOException {
      return Files.readString(out);
    }

    String stderr() throws IOException {
      return Files.readString(err);
    }

    int exit() throws Exception {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ends").isTrue();
      return process.exitValue();
    }

    /** Where a server listens. */
    String url() throws IOException {
      Awaitility.await()
          .atMost(60, TimeUnit.SECONDS)
          .until(() -> !process.isAlive() || stdout().contains("\n"));
      String line = stdout().strip();
      assertThat(line).as(stderr()).startsWith("listening on http://127.0.0.1:");
      return line.substring("listening on ".length());
    }
  }

  /**
   * @param dir where their output goes
   * @param program the program, with what comes before its arguments
   */
  CommandProcesses(Path dir, List<String> program) {
    this.dir = dir;
    this.program = program;
  }

  Run start(String... args) throws IOException {
    return start(Map.of(), args);
  }

  Run start(Map<String, String> environment, String... args) throws IOException {
    List<String> command = new ArrayList<>(program);
    command.addAll(List.of(args));
    Path out = dir.resolve("out" + processes.size());
    Path err = dir.resolve("err" + processes.size());
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().putAll(environment);
    Process process = builder.start();
    processes.add(process);
    return new Run(process, out, err);
  }

  void killAll() {
    processes.forEach(Process::destroyForcibly);
  }
}
