package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.app.CommandProcesses.Run;
import io.shardbus.testing.Java;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code shardbus log} in processes of its own, with folders that servers have written. */
@Tag("once")
class LogCommandTest {

  private static final int EVENTS = 300;
  private static final int KEYS = 7;

  @TempDir Path dir;
  private CommandProcesses processes;

  @BeforeEach
  void setUp() throws Exception {
    processes =
        new CommandProcesses(
            dir,
            Java.command(
                "-Dlogback.configurationFile=io/shardbus/app/logback.xml", "io.shardbus.app.Main"));
  }

  @AfterEach
  void killAll() {
    processes.killAll();
  }

  private Run serve(String data) throws IOException {
    return processes.start("serve", "--port", "0", "--data", dir.resolve(data).toString());
  }

  private static void feed(Run server, Path lines) throws Exception {
    String[] words = {"feed", "--envelope", "--ack", "delivered", "--url", server.url(), "--file"};
    Command feed =
        Command.run(Stream.concat(Stream.of(words), Stream.of("" + lines)).toArray(String[]::new));
    assertThat(feed.exit()).as(feed.stderr()).isZero();
  }

  private static void send(Run server, String json) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(server.url() + "/v1/events?ack=delivered"))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(json))
            .build();
    HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
  }

  /** Events of all kinds, as envelope lines. */
  private Path envelopes() throws IOException {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < EVENTS; i++) {
      JsonObject line = new JsonObject();
      switch (i % 3) {
        case 0 -> line.put("event", new JsonObject().put("größe", i));
        case 1 -> line.put("text", "  \"größe\": \r\n" + i);
        default ->
            line.put("base64", Base64.getEncoder().encodeToString(new byte[] {-1, (byte) i}));
      }
      line.put("key", "schlüssel" + i % KEYS);
      if (i % 2 == 0) {
        line.put("id", "id" + i).put("headers", new JsonObject().put("n", "" + i));
      }
      lines.append(line.encode()).append('\n');
    }
    return Files.writeString(dir.resolve("lines"), lines);
  }

  /** What events carry, of each key in its order. */
  private static Map<String, List<String>> byKey(Stream<String> lines) {
    return lines
        .map(JsonObject::new)
        .map(
            line ->
                new JsonArray()
                    .add(String.valueOf(line.getValue("key")))
                    .add(String.valueOf(line.getValue("id")))
                    .add(line.getJsonObject("headers", new JsonObject()))
                    .add(String.valueOf(line.getValue("event")))
                    .add(String.valueOf(line.getValue("text")))
                    .add(String.valueOf(line.getValue("base64"))))
        .collect(
            Collectors.groupingBy(
                event -> event.getString(0),
                TreeMap::new,
                Collectors.mapping(JsonArray::encode, Collectors.toList())));
  }

  private static Map<String, String> content(Path folder) throws IOException {
    Map<String, String> content = new TreeMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        content.put(
            file.getFileName().toString(), Files.readString(file, StandardCharsets.ISO_8859_1));
      }
    }
    return content;
  }

  @Test
  void folder_isExportedWhileItsServerRunsAndAfterItsKill() throws Exception {
    Path lines = envelopes();
    Path log = dir.resolve("a/log");
    Run server = serve("a");
    feed(server, lines);
    Run running = processes.start("log", "export", log.toString());
    Run runningCheck = processes.start("log", "check", log.toString());
    assertThat(running.exit()).as(running.stderr()).isZero();
    assertThat(byKey(running.stdout().lines())).isEqualTo(byKey(Files.readString(lines).lines()));
    assertThat(runningCheck.exit()).as(runningCheck.stderr()).isZero();

    server.process().destroyForcibly().waitFor();
    Map<String, String> before = content(log);
    assertThat(before).as("what is not merged").containsKey("writer-0-0000000000000000001.db-wal");
    Command check = Command.run("log", "check", log.toString());
    Command export = Command.run("log", "export", log.toString());
    assertThat(check.exit()).as(check.stdout() + check.stderr()).isZero();
    assertThat(check.stdout()).contains("good: " + EVENTS + " events");
    assertThat(export.exit()).as(export.stderr()).isZero();
    assertThat(export.stdout()).isEqualTo(running.stdout());
    assertThat(content(log).equals(before)).as("the folder stays as it is").isTrue();

    Run other = serve("b");
    feed(other, Files.writeString(dir.resolve("exported"), export.stdout()));
    Command copy = Command.run("log", "export", dir.resolve("b/log").toString());
    assertThat(copy.exit()).as(copy.stderr()).isZero();
    assertThat(byKey(copy.stdout().lines())).isEqualTo(byKey(Files.readString(lines).lines()));
  }

  @Test
  void damagedFolder_givesAllOtherEventsAndSaysWhichAreMissing() throws Exception {
    Run server = serve("a");
    for (int i = 0; i < 20; i++) { // blocks of their own
      send(server, "{\"n\":\"event-" + i + "\"}");
    }
    server.process().destroy();
    assertThat(server.exit()).isZero();
    Path log = dir.resolve("a/log");
    Path file = log.resolve("writer-0-0000000000000000001.db");
    String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
    Files.writeString(file, bytes.replace("event-7\"", "event-8\""), StandardCharsets.ISO_8859_1);
    Map<String, String> before = content(log);

    Command check = Command.run("log", "check", log.toString());
    Command export = Command.run("log", "export", log.toString());
    assertThat(check.exit()).isEqualTo(1);
    assertThat(check.stdout())
        .contains(file + " is damaged")
        .contains("the positions 8 to 8 ")
        .contains("damaged: 19 events");
    assertThat(export.exit()).isEqualTo(1);
    assertThat(export.stderr()).contains(file + " is damaged").contains("the positions 8 to 8 ");
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      if (i != 7) {
        expected.add("event-" + i);
      }
    }
    assertThat(export.stdout().lines())
        .extracting(line -> new JsonObject(line).getJsonObject("event").getString("n"))
        .isEqualTo(expected);
    assertThat(content(log).equals(before)).as("the folder stays as it is").isTrue();
  }

  private static void assertRefused(String says, String... words) {
    Command refused = Command.run(words);
    assertThat(refused.exit()).isEqualTo(2);
    assertThat(refused.stderr()).contains(says);
  }

  @Test
  void folderWithoutALog_isRefused() throws Exception {
    String nothing = dir.resolve("nothing").toString();
    for (String command : List.of("check", "export")) {
      assertRefused("holds no log", "log", command, nothing);
      assertRefused("holds no log", "log", command, dir.toString());
      assertRefused("DIR", "log", command);
    }
    assertThat(Path.of(nothing)).doesNotExist();
    assertRefused("--since", "log", "export", "--since", "yesterday", nothing);
    assertRefused("Missing required subcommand", "log");
    Files.writeString(dir.resolve("format"), "3\n");
    assertRefused("format 3", "log", "check", dir.toString());
  }
}
