package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Applications that Maven builds against the packaged library alone, as an embedder does: the
 * sources are in {@code src/it}. Prints how much an embedder gets.
 */
@Tag("jar")
class ApplicationTest {

  private static final Path SERVER =
      Path.of(System.getProperty("shardbus.jar", "")).toAbsolutePath();
  private static final String JAVA =
      Path.of(System.getProperty("java.home"), "bin", "java").toString();
  private static final String VERSION = System.getProperty("shardbus.version");

  /** Has all but Shardbus, so that nothing is downloaded. */
  private static final String BUILD_REPOSITORY = System.getProperty("shardbus.repository");

  private static final Path IT = SERVER.resolveSibling("it");
  private static final Path PUBLISHED = IT.resolve("published");

  @BeforeAll
  static void publish() throws IOException {
    Path folder = PUBLISHED.resolve("io/shardbus/shardbus/" + VERSION);
    Path name = folder.resolve("shardbus-" + VERSION);
    Files.createDirectories(folder);
    for (String end : List.of(".jar", "-testkit.jar")) {
      replace(SERVER.resolveSibling("shardbus-" + VERSION + end), name + end);
    }
    replace(Path.of("pom.xml"), name + ".pom");
    delete(IT.resolve("repository/io/shardbus"));
  }

  private static void replace(Path from, String to) throws IOException {
    Files.copy(from, Path.of(to), StandardCopyOption.REPLACE_EXISTING);
  }

  private static void delete(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (var files = Files.walk(folder)) {
        files.sorted((a, b) -> b.compareTo(a)).map(Path::toFile).forEach(File::delete);
      }
    }
  }

  private static String run(List<String> command) throws Exception {
    Path output = Files.createDirectories(IT).resolve("output.txt");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    int exit = process.waitFor();
    String text = Files.readString(output, StandardCharsets.UTF_8);
    assertThat(exit).as(text).isZero();
    return text;
  }

  /** Builds an application, and runs its tests. The result is a jar that names its libraries. */
  private static Path build(String name) throws Exception {
    String settings = Path.of("src/it/settings.xml").toString();
    List<String> command = new ArrayList<>(List.of("mvn", "-o", "-B", "-q", "-s", settings));
    command.addAll(List.of("-gs", settings, "-f", "src/it/" + name + "/pom.xml"));
    command.add("-Daether.offline.protocols=file");
    command.add("-Dbuild.repository=" + BUILD_REPOSITORY);
    command.add("-Dmaven.repo.local=" + IT.resolve("repository"));
    command.add("-Dshardbus.repository=" + PUBLISHED);
    command.add("-Dshardbus.version=" + VERSION);
    command.add("-Dtarget=" + IT);
    command.addAll(List.of("resources:resources", "compiler:compile", "jar:jar"));
    if (name.equals("app")) {
      command.addAll(List.of("compiler:testCompile", "surefire:test"));
    }
    run(command);
    return IT.resolve(name).resolve(name + ".jar");
  }

  private static List<Path> libraries(Path jar) throws IOException {
    try (JarFile file = new JarFile(jar.toFile())) {
      Attributes manifest = file.getManifest().getMainAttributes();
      return List.of(manifest.getValue(Attributes.Name.CLASS_PATH).split(" ")).stream()
          .map(entry -> jar.resolveSibling(entry).normalize())
          .toList();
    }
  }

  @Test
  void application_mountsAuthenticatesMeasuresRedeploysAndCloses() throws Exception {
    Path app = build("app");
    assertThat(run(List.of(JAVA, "-jar", app.toString())).lines())
        .containsSubsequence(
            "nobody 401", "anna 202", "measured 2", "taken 2", "meters left 0", "found false")
        .containsSubsequence(
            "nobody 401", "anna 202", "measured 2", "taken 4", "meters left 0", "found false")
        .endsWith("closed");
  }

  @Test
  void application_runsOnTheModulePath() throws Exception {
    Path app = build("app");
    List<String> modules = new ArrayList<>(List.of(app.toString()));
    libraries(app).forEach(library -> modules.add(library.toString()));
    List<String> command = new ArrayList<>(List.of(JAVA));
    command.addAll(List.of("-p", String.join(File.pathSeparator, modules)));
    command.addAll(List.of("--add-modules", "ALL-MODULE-PATH,java.sql"));
    command.addAll(List.of("--add-exports", "io.vertx.core/io.vertx.core.http.impl=io.shardbus"));
    command.addAll(List.of("-m", "app/app.Main"));
    assertThat(run(command).lines())
        .containsSubsequence("anna 202", "socket {\"acked\":1}", "measured 2", "meters left 0")
        .endsWith("closed");
  }

  @Test
  void embedder_getsLittle() throws Exception {
    List<Path> libraries = libraries(build("bare"));
    long all = 0;
    long ours = 0;
    StringBuilder table = new StringBuilder();
    for (Path library : libraries) {
      long bytes = Files.size(library);
      all += bytes;
      ours += library.getFileName().toString().startsWith("shardbus-") ? bytes : 0;
      table.append(String.format(Locale.ROOT, "%,12d  %s%n", bytes, library.getFileName()));
    }
    long server = Files.size(SERVER);
    table.append(String.format(Locale.ROOT, "%,12d  in %d jars%n", all, libraries.size()));
    table.append(String.format(Locale.ROOT, "%,12d  %s%n", server, SERVER.getFileName()));
    Files.writeString(IT.resolve("footprint.txt"), table);
    System.out.print(table);
    assertThat(libraries).hasSizeLessThanOrEqualTo(30);
    assertThat(all).isLessThanOrEqualTo(12_000_000);
    assertThat(ours).isBetween(1L, 1_100_000L);
    assertThat(server).isLessThan(55_000_000); // Hazelcast is 17 MB of it
  }
}
