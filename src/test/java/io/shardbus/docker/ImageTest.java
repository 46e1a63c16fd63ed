package io.shardbus.docker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The image's steps, taken without an image. */
class ImageTest {

  @TempDir Path dir;
  private Process server;

  @AfterEach
  void kill() {
    if (server != null) {
      server.destroyForcibly();
    }
  }

  private static List<String> dockerfile() throws Exception {
    return Files.readAllLines(Path.of("docker/Dockerfile"));
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

  /** With the image's environment, but for the address, the port and the folder. */
  @Test
  void healthCheck_tellsALiveServerFromNone() throws Exception {
    Map<String, String> environment = new HashMap<>();
    Matcher variable = Pattern.compile("(SHARDBUS_\\w+)=(\\S+)").matcher("");
    for (String line : dockerfile()) {
      if (line.startsWith("ENV ")) {
        variable.reset(line);
        while (variable.find()) {
          environment.put(variable.group(1), variable.group(2));
        }
      }
    }
    assertThat(environment).containsOnlyKeys("SHARDBUS_HOST", "SHARDBUS_PORT", "SHARDBUS_DATA");
    environment.put("SHARDBUS_HOST", "127.0.0.1");
    environment.put("SHARDBUS_PORT", "0");
    environment.put("SHARDBUS_DATA", dir.resolve("data").toString());
    File out = dir.resolve("out").toFile();
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                "io.shardbus.app.Main",
                "serve")
            .redirectOutput(out)
            .redirectError(ProcessBuilder.Redirect.DISCARD);
    builder.environment().putAll(environment);
    server = builder.start();
    Awaitility.await()
        .atMost(60, TimeUnit.SECONDS)
        .until(() -> Files.readString(out.toPath()).contains("\n"));
    String said = Files.readString(out.toPath()).strip();
    String port = said.substring(said.lastIndexOf(':') + 1);
    assertThat(check(port)).isZero();
    server.destroy();
    assertThat(server.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(check(port)).isNotZero();
  }

  private static int check(String port) throws Exception {
    ProcessBuilder check =
        new ProcessBuilder("docker/live.sh")
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD);
    check.environment().put("SHARDBUS_PORT", port);
    Process process = check.start();
    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }
}
