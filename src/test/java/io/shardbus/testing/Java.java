package io.shardbus.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Commands that run Java with the class path of the tests. A server starts in a third of the time:
 * it takes the classes of the libraries from an archive, and compiles with the fast compiler only.
 */
public final class Java {

  /** The program. */
  public static final String PROGRAM =
      Path.of(System.getProperty("java.home"), "bin", "java").toString();

  private static final List<String> FAST =
      List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m");

  private Java() {}

  /**
   * A command.
   *
   * @param arguments options for Java, the main class, and its arguments
   */
  public static List<String> command(String... arguments) {
    try {
      return command(List.of("-XX:SharedArchiveFile=" + archive(), "-cp", classPath()), arguments);
    } catch (Exception e) {
      throw new IllegalStateException("there is no archive of classes", e);
    }
  }

  private static List<String> command(List<String> options, String... arguments) {
    return Stream.of(List.of(PROGRAM), FAST, options, List.of(arguments))
        .flatMap(List::stream)
        .toList();
  }

  /** Libraries first, as they are in the archive. */
  private static String classPath() {
    return libraries() + File.pathSeparator + entries(false);
  }

  private static String libraries() {
    return entries(true);
  }

  private static String entries(boolean jars) {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
        .filter(entry -> entry.endsWith(".jar") == jars)
        .collect(Collectors.joining(File.pathSeparator));
  }

  /** Made by whichever JVM of a build needs it first. */
  private static synchronized Path archive() throws Exception {
    Path dir =
        Files.createDirectories(
            Path.of(Java.class.getResource("/").toURI()).resolveSibling("java-archive"));
    Path archive =
        dir.resolve(Objects.hash(libraries(), Runtime.version()) + ".jsa").toAbsolutePath();
    try (FileChannel file =
        FileChannel.open(
            dir.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      file.lock(); // until it is closed
      if (!Files.exists(archive)) {
        make(archive, Files.createTempFile(dir, "classes", ""));
      }
    }
    return archive;
  }

  private static void make(Path archive, Path classes) throws Exception {
    run(
        "-XX:DumpLoadedClassList=" + classes,
        "-cp",
        classPath(),
        "io.shardbus.app.Main",
        "warm-up");
    Path part = archive.resolveSibling("part.jsa");
    run(
        "-Xshare:dump",
        "-XX:SharedClassListFile=" + classes,
        "-XX:SharedArchiveFile=" + part,
        "-cp",
        libraries());
    Files.move(part, archive);
  }

  private static void run(String... arguments) throws Exception {
    Process process =
        new ProcessBuilder(command(List.of(), arguments))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("%s ends", arguments[0]).isTrue();
    assertThat(process.exitValue()).as(arguments[0]).isZero();
  }
}
