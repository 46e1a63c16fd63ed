package io.shardbus.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Programs of others with which tests talk to the server. */
public final class Program {

  /** Programs for Node.js, and the packages that they use. */
  private static final Path NODE = Path.of("src/test/npm");

  private static final Path PYTHON = Path.of("src/test/python");

  private Program() {}

  /** Skips the test if the program is not installed. */
  public static void require(String name) {
    assumeTrue(
        Arrays.stream(System.getenv("PATH").split(File.pathSeparator, -1))
            .anyMatch(dir -> Files.isExecutable(Path.of(dir, name))),
        name + " is not installed");
  }

  /**
   * Runs a program to its end.
   *
   * @return what it writes, errors among it
   */
  public static String run(String... command) throws Exception {
    require(command[0]);
    return end(new ProcessBuilder(command), 0);
  }

  /** What Chromium has made of a page, after five seconds of its own time. */
  public static String page(String url, Path profile) throws Exception {
    return run(
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--user-data-dir=" + profile,
        "--virtual-time-budget=5000",
        "--dump-dom",
        url);
  }

  /** The same for a program whose exit code says what came. */
  public static String runAnyway(String... command) throws Exception {
    require(command[0]);
    return end(new ProcessBuilder(command), -1);
  }

  /** Runs a program of ours for Node.js that uses a package of others. */
  public static String node(String needed, String file, String... arguments) throws Exception {
    assumeTrue(
        Files.isDirectory(NODE.resolve("node_modules").resolve(needed)),
        "npm ci --prefix " + NODE + " has not run");
    return end(new ProcessBuilder(all("node", file, arguments)).directory(NODE.toFile()), 0);
  }

  /** Runs a program of ours with the Python of the system, which has the packages of Debian. */
  public static String python(String needed, String file, String... arguments) throws Exception {
    assumeTrue(
        Files.isDirectory(Path.of("/usr/lib/python3/dist-packages", needed)),
        "python3-" + needed + " is not installed");
    return end(
        new ProcessBuilder(all("/usr/bin/python3", PYTHON.resolve(file).toString(), arguments)), 0);
  }

  private static List<String> all(String program, String file, String... arguments) {
    return Stream.concat(Stream.of(program, file), Arrays.stream(arguments)).toList();
  }

  private static String end(ProcessBuilder command, int code) throws Exception {
    Process process = command.redirectErrorStream(true).start();
    process.getOutputStream().close();
    try {
      String output = read(process);
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("%s ends", command.command()).isTrue();
      if (code >= 0) {
        assertThat(process.exitValue()).as("%s: %s", command.command(), output).isEqualTo(code);
      }
      return output;
    } finally {
      process.destroyForcibly();
    }
  }

  private static String read(Process process) throws IOException {
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }
}
