package io.shardbus.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.ShardBus;
import java.io.File;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Commands that run Java with the class path of the tests. A server starts in a third of the time:
 * it takes classes from an archive, and compiles with the fast compiler only.
 */
public final class Java {

  /** The program. */
  public static final String PROGRAM =
      Path.of(System.getProperty("java.home"), "bin", "java").toString();

  /** With few young objects, as the first use of a page takes microseconds. */
  private static final List<String> FAST =
      List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-Xmn16m");

  private static @Nullable Path jar;

  private Java() {}

  /**
   * A command.
   *
   * @param arguments options for Java, the main class, and its arguments
   */
  public static List<String> command(String... arguments) {
    try {
      Path jar = jar();
      return command(
          List.of("-XX:SharedArchiveFile=" + archive(jar), "-cp", classPath(jar)), arguments);
    } catch (Exception e) {
      throw new IllegalStateException("there is no archive of classes", e);
    }
  }

  private static List<String> command(List<String> options, String... arguments) {
    return Stream.of(List.of(PROGRAM), FAST, options, List.of(arguments))
        .flatMap(List::stream)
        .toList();
  }

  /** What is in the archive comes first. */
  private static String classPath(Path jar) {
    return String.join(File.pathSeparator, entries(true), jar.toString(), entries(false));
  }

  private static String entries(boolean jars) {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
        .filter(entry -> entry.endsWith(".jar") == jars)
        .collect(Collectors.joining(File.pathSeparator));
  }

  /**
   * Our classes, with the archive beside it, which takes no classes from folders. Made by whichever
   * JVM of a build needs it first.
   */
  private static synchronized Path jar() throws Exception {
    if (jar != null) {
      return jar;
    }
    Path classes =
        Path.of(ShardBus.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    Path dir = Files.createDirectories(classes.resolveSibling("java-archive"));
    String version = Runtime.version().feature() + "-";
    Path made = dir.resolve(version + Objects.hash(entries(true), newest(classes)) + ".jar");
    try (FileChannel file =
        FileChannel.open(
            dir.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      file.lock(); // until it is closed
      if (!Files.exists(archive(made))) {
        deleteOlder(dir, version);
        make(made, classes);
      }
    }
    jar = made;
    return made;
  }

  private static Path archive(Path jar) {
    return jar.resolveSibling(jar.getFileName() + ".jsa").toAbsolutePath();
  }

  private static long newest(Path classes) throws IOException {
    try (Stream<Path> files = Files.walk(classes)) {
      return files.mapToLong(file -> file.toFile().lastModified()).max().orElse(0);
    }
  }

  private static void deleteOlder(Path dir, String version) throws IOException {
    try (Stream<Path> files = Files.list(dir)) {
      for (Path file :
          files.filter(each -> each.getFileName().toString().startsWith(version)).toList()) {
        Files.delete(file);
      }
    }
  }

  private static void make(Path jar, Path classes) throws Exception {
    int code =
        ToolProvider.findFirst("jar")
            .orElseThrow()
            .run(System.out, System.err, "cf", jar.toString(), "-C", classes.toString(), ".");
    assertThat(code).as("jar").isZero();
    Path list = Files.createTempFile("classes", "");
    run(
        "-XX:DumpLoadedClassList=" + list,
        "-cp",
        classPath(jar),
        "io.shardbus.app.Main",
        "warm-up");
    Path part = jar.resolveSibling("part.jsa");
    run(
        "-Xshare:dump",
        "-XX:SharedClassListFile=" + list,
        "-XX:SharedArchiveFile=" + part,
        "-cp",
        entries(true) + File.pathSeparator + jar);
    Files.delete(list);
    Files.move(part, archive(jar));
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
