package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher's script, with a Java that writes down how it was called. */
class LauncherTest {

  @TempDir Path dir;
  private Path cache;
  private Path calls;

  @BeforeEach
  void setUp() throws Exception {
    cache = dir.resolve("cache");
    calls = dir.resolve("calls");
    javaThatArchives("echo made > \"${o#*=}\"");
    Files.writeString(dir.resolve("home/release"), "JAVA_VERSION=\"25.0.1\"\n");
  }

  /** A Java that does this when it is to make an archive. */
  private void javaThatArchives(String how) throws Exception {
    Path java = Files.createDirectories(dir.resolve("home/bin")).resolve("java");
    Files.writeString(
        java,
        """
        #!/bin/sh
        echo "$@" >> %s
        for o; do
          case $o in
            -Xshare:dump) dump=yes ;;
            -XX:DumpLoadedClassList=*) echo classes > "${o#*=}" ;;
            -XX:SharedArchiveFile=*) [ -z "$dump" ] || %s ;;
          esac
        done
        """
            .formatted(calls, how));
    assertThat(java.toFile().setExecutable(true)).isTrue();
  }

  private String run(String... words) throws Exception {
    Files.writeString(calls, "");
    List<String> command =
        Stream.concat(Stream.of("sh", "src/main/scripts/shardbus"), Stream.of(words)).toList();
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("JAVA_HOME", dir.resolve("home").toString());
    builder.environment().put("SHARDBUS_CACHE", cache.toString());
    Process process = builder.start();
    assertThat(process.getInputStream().readAllBytes()).isEmpty();
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    return Files.readString(calls);
  }

  private List<String> cached(String end) throws Exception {
    try (Stream<Path> files = Files.list(cache)) {
      return files.map(Path::toString).filter(name -> name.endsWith(end)).toList();
    }
  }

  private void awaitArchive() {
    Awaitility.await().until(() -> cached(".jsa").size() == 1 && cached(".lock").isEmpty());
  }

  @Test
  void archiveThatIsNotThereYet_isNotGivenToJava() throws Exception {
    assertThat(run("serve").lines().filter(call -> call.endsWith(" serve")))
        .hasSize(1)
        .noneMatch(call -> call.contains("SharedArchiveFile"));
    awaitArchive();
    assertThat(run("serve"))
        .contains("-XX:SharedArchiveFile=" + cached(".jsa").get(0))
        .doesNotContain("-Xshare:dump");
  }

  @Test
  void archivesThatNobodyUses_go() throws Exception {
    Files.createDirectories(cache);
    for (int days : new int[] {10, 40}) {
      Path archive = Files.createFile(cache.resolve("used-" + days + "-days-ago.jsa"));
      FileTime used = FileTime.from(Instant.now().minus(Duration.ofDays(days)));
      Files.getFileAttributeView(archive, BasicFileAttributeView.class).setTimes(null, used, null);
    }
    run("warm-up");
    assertThat(cached(".jsa"))
        .hasSize(2)
        .contains(cache.resolve("used-10-days-ago.jsa").toString());
  }

  @Test
  void makerThatWasKilled_isFollowedByAnotherLater() throws Exception {
    javaThatArchives("kill -9 $$");
    run("warm-up");
    assertThat(cached(".lock")).hasSize(1);
    javaThatArchives("echo made > \"${o#*=}\"");
    assertThat(run("--version")).as("at once").doesNotContain("-Xshare:dump");
    Files.setLastModifiedTime(
        Path.of(cached(".lock").get(0)),
        FileTime.from(Instant.now().minus(Duration.ofMinutes(11))));
    run("--version");
    awaitArchive();
    assertThat(cached("")).hasSize(1);
  }
}
