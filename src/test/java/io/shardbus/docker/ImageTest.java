package io.shardbus.docker;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.testing.Ports;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.File;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.Yaml;

/**
 * The image's steps, taken without an image: what the last stage copies is copied into a folder
 * that stands for its root, and its commands are run with its environment, word for word but for
 * that folder. Not taken are its user, and its jar, which is not made yet when tests run: one that
 * names the class path of the tests stands in.
 */
@Tag("once")
class ImageTest {

  private static final Path DOCKER = Path.of("docker");

  @TempDir Path dir;
  private Process server;

  @AfterEach
  void kill() {
    if (server != null) {
      server.destroyForcibly();
    }
  }

  /** The instructions, each on one line. */
  private static List<String> dockerfile() throws Exception {
    String text = Files.readString(DOCKER.resolve("Dockerfile"));
    return text.replace("\\\n", " ").lines().toList();
  }

  /** What an instruction of the last stage says, each time that it is there. */
  private static List<String> lastStage(String instruction) throws Exception {
    List<String> all = dockerfile();
    int from = 0;
    for (int i = 0; i < all.size(); i++) {
      from = all.get(i).startsWith("FROM ") ? i : from;
    }
    return all.subList(from, all.size()).stream()
        .filter(line -> line.startsWith(instruction + " "))
        .map(line -> line.substring(instruction.length() + 1))
        .toList();
  }

  @Test
  void copiedFiles_areThereAndPartOfTheContext() throws Exception {
    List<String> ignore = Files.readAllLines(Path.of(".dockerignore"));
    assertThat(ignore.get(0)).isEqualTo("*");
    List<String> copied = new ArrayList<>();
    for (String line : dockerfile()) {
      if (line.startsWith("COPY ") && !line.contains("--from=")) {
        copied.add(line.replaceFirst("^COPY (--\\S+ )*", "").replaceFirst(" .*", ""));
      }
    }
    assertThat(copied).contains("pom.xml", "src", "conf");
    for (String source : copied) {
      assertThat(Path.of(source)).exists();
      assertThat(ignore).contains("!" + source);
    }
  }

  private Path root() {
    return dir.resolve("root");
  }

  /** A path in the image. */
  private Path inRoot(String path) {
    return root().resolve(path.substring(1));
  }

  private void copy() throws Exception {
    for (String line : lastStage("COPY")) {
      List<String> words = Arrays.asList(line.split(" +"));
      List<String> paths = words.stream().filter(word -> !word.startsWith("--")).toList();
      Path target = inRoot(paths.get(1));
      Files.createDirectories(target.getParent());
      if (words.contains("--from=build")) {
        assertThat(paths.get(0)).isEqualTo("/build/target/shardbus");
        standIn(target);
      } else {
        Files.copy(Path.of(paths.get(0)), target);
      }
      if (words.contains("--chmod=755")) {
        Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rwxr-xr-x"));
      }
    }
  }

  /** The launcher, with a jar that names the classes here. */
  private static void standIn(Path file) throws Exception {
    Manifest manifest = new Manifest();
    Attributes main = manifest.getMainAttributes();
    main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    main.put(Attributes.Name.MAIN_CLASS, "io.shardbus.app.Main");
    main.put(
        Attributes.Name.CLASS_PATH,
        Pattern.compile(File.pathSeparator)
            .splitAsStream(System.getProperty("java.class.path"))
            .map(entry -> Path.of(entry).toUri().toString())
            .collect(Collectors.joining(" ")));
    try (OutputStream out = Files.newOutputStream(file)) {
      Files.copy(Path.of("src/main/scripts/shardbus"), out);
      new JarOutputStream(out, manifest).close();
    }
  }

  /** What the image sets, with a port that is free and the folders that are to be written to. */
  private Map<String, String> environment(int port) throws Exception {
    Map<String, String> environment = new TreeMap<>();
    Pattern variable = Pattern.compile("(\\w+)=(?:\"([^\"]*)\"|(\\S+))");
    for (String line : lastStage("ENV")) {
      variable
          .matcher(line)
          .results()
          .forEach(
              found ->
                  environment.put(
                      found.group(1), found.group(2) == null ? found.group(3) : found.group(2)));
    }
    assertThat(lastStage("EXPOSE")).containsExactly(environment.get("SHARDBUS_PORT"));
    assertThat(lastStage("VOLUME")).containsExactly(environment.get("SHARDBUS_DATA"));
    environment.put("SHARDBUS_PORT", Integer.toString(port));
    environment.put("SHARDBUS_CACHE", ""); // which the build of the image fills
    environment.put("SHARDBUS_DATA", inRoot(environment.get("SHARDBUS_DATA")).toString());
    environment.merge(
        "JAVA_TOOL_OPTIONS",
        "-Djava.io.tmpdir=" + Files.createDirectories(dir.resolve("tmp")),
        (image, ours) -> image + " " + ours);
    return environment;
  }

  /** A command in the JSON form. */
  private List<String> command(String json) {
    List<String> words = new ArrayList<>();
    for (Object word : new JsonArray(json)) {
      String text = (String) word;
      words.add(text.startsWith("/") ? inRoot(text).toString() : text);
    }
    return words;
  }

  private Process run(List<String> command, Map<String, String> environment, String log)
      throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(root().toFile())
            .redirectOutput(dir.resolve(log + ".out").toFile())
            .redirectError(dir.resolve(log + ".err").toFile());
    builder.environment().put("PATH", javaFirst());
    builder.environment().putAll(environment);
    return builder.start();
  }

  private static String javaFirst() {
    return Path.of(System.getProperty("java.home"), "bin")
        + File.pathSeparator
        + System.getenv("PATH");
  }

  private Process serve(Map<String, String> environment) throws Exception {
    List<String> command = command(lastStage("ENTRYPOINT").get(0));
    command.addAll(command(lastStage("CMD").get(0)));
    return run(command, environment, "server");
  }

  private int check(Map<String, String> environment) throws Exception {
    String line = lastStage("HEALTHCHECK").get(0);
    String json = line.substring(line.indexOf("CMD ") + "CMD ".length());
    Process process = run(command(json), environment, "check");
    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  /** All but the volume: that is what a read-only root keeps as it is. */
  private Map<Path, Long> rest() throws Exception {
    Path data = inRoot(lastStage("VOLUME").get(0));
    try (Stream<Path> all = Files.walk(root())) {
      Map<Path, Long> sizes = new HashMap<>();
      for (Path path : all.filter(each -> !each.startsWith(data)).toList()) {
        sizes.put(path, Files.isDirectory(path) ? 0 : Files.size(path));
      }
      return sizes;
    }
  }

  @Test
  void image_servesAndItsHealthCheckTellsALiveServerFromNone() throws Exception {
    copy();
    Map<String, String> environment = environment(Ports.free());
    Path data = Files.createDirectories(Path.of(environment.get("SHARDBUS_DATA")));
    Map<Path, Long> before = rest();

    server = serve(environment);
    assertThat(server.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(server.exitValue()).isNotZero();
    assertThat(dir.resolve("server.err")).content().contains("tokens").contains("insecure");

    environment.putAll(composed());
    server = serve(environment);
    Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> check(environment) == 0);
    server.destroyForcibly();
    assertThat(server.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(check(environment)).isNotZero();
    assertThat(rest()).isEqualTo(before);
    try (Stream<Path> written = Files.list(data)) {
      assertThat(written).isNotEmpty();
    }
  }

  private static JsonObject yaml(Path file) throws Exception {
    return new JsonObject(new Yaml().<Map<String, Object>>load(Files.readString(file)));
  }

  /** What the server's environment has in the composition besides. */
  private static Map<String, String> composed() throws Exception {
    Map<String, String> environment = new HashMap<>();
    yaml(DOCKER.resolve("compose.yaml"))
        .getJsonObject("services")
        .getJsonObject("shardbus")
        .getJsonObject("environment")
        .forEach(entry -> environment.put(entry.getKey(), (String) entry.getValue()));
    return environment;
  }

  @Test
  void composition_namesWhatIsThere() throws Exception {
    JsonObject compose = yaml(DOCKER.resolve("compose.yaml"));
    JsonObject services = compose.getJsonObject("services");
    assertThat(services.fieldNames()).containsExactly("shardbus", "prometheus", "grafana");
    Map<String, Path> mounted = new HashMap<>();
    for (String name : services.fieldNames()) {
      for (Object each : services.getJsonObject(name).getJsonArray("volumes")) {
        String[] parts = ((String) each).split(":", -1);
        if (parts[0].startsWith(".")) {
          Path source = DOCKER.resolve(parts[0]).normalize();
          assertThat(source).exists();
          mounted.put(parts[1], source);
        } else {
          assertThat(compose.getJsonObject("volumes").fieldNames()).contains(parts[0]);
        }
      }
    }
    JsonObject build = services.getJsonObject("shardbus").getJsonObject("build");
    Path context = DOCKER.resolve(build.getString("context")).normalize();
    assertThat(context.resolve(build.getString("dockerfile"))).exists();
    String home =
        services
            .getJsonObject("grafana")
            .getJsonObject("environment")
            .getString("GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH");
    String dashboards = "/etc/grafana/dashboards";
    assertThat(home).startsWith(dashboards + "/");
    assertThat(mounted.get(dashboards).resolve(home.substring(dashboards.length() + 1))).exists();

    Path provisioning = mounted.get("/etc/grafana/provisioning");
    assertThat(
            yaml(provisioning.resolve("dashboards/shardbus.yml"))
                .getJsonArray("providers")
                .getJsonObject(0)
                .getJsonObject("options")
                .getString("path"))
        .isEqualTo(dashboards);
    assertThat(
            yaml(provisioning.resolve("datasources/prometheus.yml"))
                .getJsonArray("datasources")
                .getJsonObject(0)
                .getString("url"))
        .isEqualTo("http://prometheus:9090");
    String target =
        yaml(mounted.get("/etc/prometheus/prometheus.yml"))
            .getJsonArray("scrape_configs")
            .getJsonObject(0)
            .getJsonArray("static_configs")
            .getJsonObject(0)
            .getJsonArray("targets")
            .getString(0);
    assertThat(target).isEqualTo("shardbus:" + lastStage("EXPOSE").get(0));
  }
}
