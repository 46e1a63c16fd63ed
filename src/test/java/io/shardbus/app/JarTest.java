package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.app.CommandProcesses.Run;
import io.shardbus.sink.SinkProvider;
import io.shardbus.testing.Java;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The jar as it is shipped; run in the phase {@code verify}, when there is one. */
@Tag("jar")
class JarTest {

  @TempDir Path dir;
  private CommandProcesses jar;

  @BeforeEach
  void setUp() {
    jar =
        new CommandProcesses(
            dir,
            List.of(
                Java.PROGRAM,
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-jar",
                System.getProperty("shardbus.jar")));
  }

  @AfterEach
  void killAll() {
    jar.killAll();
  }

  private static JsonObject ask(HttpRequest.Builder request) throws Exception {
    return new JsonObject(
        HttpClient.newHttpClient()
            .send(request.build(), HttpResponse.BodyHandlers.ofString())
            .body());
  }

  @Test
  void version_isThatOfTheBuild() throws Exception {
    Run version = jar.start("--version");
    assertThat(version.exit()).isZero();
    assertThat(version.stdout()).startsWith("shardbus " + System.getProperty("shardbus.version"));
    assertThat(version.stderr()).isEmpty();
  }

  @Test
  void library_isAModuleWithoutTheCommandLine() throws Exception {
    Path library = target("shardbus-" + System.getProperty("shardbus.version") + ".jar");
    try (JarFile jar = new JarFile(library.toFile())) {
      assertThat(jar.getManifest().getMainAttributes().getValue("Automatic-Module-Name"))
          .isEqualTo("io.shardbus");
      assertThat(jar.stream().map(JarEntry::getName))
          .contains("io/shardbus/ShardBus.class")
          .noneMatch(name -> name.matches("io/shardbus/(app|junit5)/.*"));
    }
  }

  @Test
  void jars_allCarryTheLicense() throws Exception {
    String prefix = "shardbus-" + System.getProperty("shardbus.version");
    byte[] license = Files.readAllBytes(Path.of("LICENSE"));
    for (String name :
        List.of(
            "shardbus.jar",
            prefix + ".jar",
            prefix + "-app.jar",
            prefix + "-testkit.jar",
            prefix + "-sources.jar",
            prefix + "-javadoc.jar")) {
      try (JarFile jar = new JarFile(target(name).toFile())) {
        JarEntry entry = jar.getJarEntry("META-INF/LICENSE");
        assertThat(entry).as(name).isNotNull();
        assertThat(jar.getInputStream(entry).readAllBytes()).as(name).isEqualTo(license);
      }
    }
  }

  @Test
  void billOfMaterials_namesWhatTheJarHolds() throws Exception {
    try (JarFile jar = new JarFile(target("shardbus.jar").toFile())) {
      JarEntry entry = jar.getJarEntry("META-INF/sbom/shardbus.cdx.json");
      JsonObject bill = new JsonObject(Buffer.buffer(jar.getInputStream(entry).readAllBytes()));
      assertThat(bill.getString("bomFormat")).isEqualTo("CycloneDX");
      assertThat(bill.getJsonArray("components").stream().map(JsonObject.class::cast))
          .extracting(component -> component.getString("name"))
          .contains("vertx-core", "sqlite-jdbc", "picocli", "jnats")
          .doesNotContain("assertj-core", "vertx-codegen-api");
    }
  }

  @Test
  void nativeCode_isThatOfThePlatformsThatPeopleRun() throws Exception {
    try (JarFile jar = new JarFile(target("shardbus.jar").toFile())) {
      assertThat(
              jar.stream().map(JarEntry::getName).filter(name -> name.contains("sqlite/native/")))
          .filteredOn(name -> !name.endsWith("/"))
          .extracting(name -> name.replaceAll(".*/native/(.*)/.*", "$1"))
          .containsExactlyInAnyOrder(
              "Linux/aarch64",
              "Linux/x86_64",
              "Linux-Musl/aarch64",
              "Linux-Musl/x86_64",
              "Mac/aarch64",
              "Mac/x86_64",
              "Windows/x86_64");
    }
  }

  /** Most of the library for that is left out. */
  @Test
  void natsClient_canSign() throws Exception {
    URL[] path = {target("shardbus.jar").toUri().toURL()};
    try (URLClassLoader alone = new URLClassLoader(path, ClassLoader.getPlatformClassLoader())) {
      Class<?> type = alone.loadClass("io.nats.client.NKey");
      Object key = type.getMethod("createUser", SecureRandom.class).invoke(null, (Object) null);
      byte[] text = {1, 2, 3};
      byte[] signature = (byte[]) type.getMethod("sign", byte[].class).invoke(key, text);
      assertThat(type.getMethod("verify", byte[].class, byte[].class).invoke(key, text, signature))
          .isEqualTo(true);
    }
  }

  /** A file beside the shaded jar. */
  private static Path target(String name) {
    return Path.of(System.getProperty("shardbus.jar")).resolveSibling(name);
  }

  @Test
  void server_takesAnEventGivesItBackAndStops() throws Exception {
    String data = dir.resolve("data").toString();
    Run server = jar.start("serve", "--port", "0", "--sink", "memory", "--data", data);
    URI events = URI.create(server.url() + "/v1/events");
    JsonObject taken =
        ask(
            HttpRequest.newBuilder(URI.create(events + "?ack=delivered"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("{\"n\":1}")));
    assertThat(taken.getInteger("shard")).isNotNull();
    JsonObject read = ask(HttpRequest.newBuilder(events));
    assertThat(read.getJsonArray("events")).hasSize(1);
    assertThat(read.getJsonArray("events").getJsonObject(0).getJsonObject("event"))
        .isEqualTo(new JsonObject().put("n", 1));
    assertThat(
            HttpClient.newHttpClient()
                .send(
                    HttpRequest.newBuilder(URI.create(server.url() + "/metrics")).build(),
                    HttpResponse.BodyHandlers.ofString())
                .body())
        .contains("shardbus_events_accepted_total{address=\"shardbus.ingest\"} 1.0");
    server.process().destroy(); // SIGTERM
    assertThat(server.exit()).as(server.stderr()).isZero();
    assertThat(server.stderr())
        .contains("stopped: 1 event accepted, 1 delivered")
        .doesNotContain("SLF4J");
    // A machine that is busy with other things may hold up a loop.
    assertThat(server.stderr().lines().filter(line -> !line.contains("BlockedThreadChecker")))
        .noneMatch(line -> line.contains("WARN"));
  }

  private Run launch(Path cache, String... words) throws Exception {
    List<String> command = new ArrayList<>(List.of(target("shardbus").toString()));
    command.addAll(List.of(words));
    Path out = Files.createTempFile(dir, "launched", ".out");
    Path err = Files.createTempFile(dir, "launched", ".err");
    ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(out.toFile());
    builder.redirectError(err.toFile()).environment().put("SHARDBUS_CACHE", cache.toString());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("LC_ALL", "C");
    return new Run(builder.start(), out, err);
  }

  @Test
  void launcher_isOneFileThatMakesItsArchiveOnce() throws Exception {
    Path cache = dir.resolve("cache");
    Run first = launch(cache, "--version");
    assertThat(first.exit()).as(first.stderr()).isZero();
    assertThat(first.stdout()).startsWith("shardbus " + System.getProperty("shardbus.version"));
    Awaitility.await().atMost(2, TimeUnit.MINUTES).until(() -> names(cache), JarTest::oneArchive);
    Run again = launch(cache, "serve", "--check", "--data", dir.resolve("größe").toString());
    assertThat(again.exit()).as(again.stderr()).isZero();
    assertThat(again.stderr()).as("no warnings, of any Java").isEmpty();
    assertThat(dir.resolve("größe")).doesNotExist();
    assertThat(oneArchive(names(cache))).as("made once").isTrue();
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  private static boolean oneArchive(List<String> names) {
    return names.size() == 1 && names.get(0).endsWith(".jsa");
  }

  @Test
  void sinks_areAllThere() throws Exception {
    List<String> names =
        ServiceLoader.load(SinkProvider.class).stream()
            .map(provider -> provider.get().name())
            .toList();
    assertThat(names).contains("log", "memory", "noop", "redis", "jetstream", "kafka", "eventbus");
    for (String name : names) {
      Run check = jar.start("serve", "--check", "--sink", name);
      if (name.equals("eventbus")) { // is found, and asks for what this jar does not bring
        assertThat(check.exit()).as(check.stderr()).isEqualTo(2);
        assertThat(check.stderr()).contains("needs --cluster");
      } else if (name.equals("http")) { // is found, and asks where to
        assertThat(check.exit()).as(check.stderr()).isEqualTo(2);
        assertThat(check.stderr()).contains("url: is required");
      } else {
        assertThat(check.exit()).as(check.stderr()).isZero();
        assertThat(check.stdout()).contains("valid");
      }
    }
  }
}
