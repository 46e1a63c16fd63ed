package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.testing.AckingProcess;
import io.shardbus.testing.LogChecker;
import io.vertx.core.Vertx;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A bus whose log runs out of room keeps what it has, and goes on by itself when there is room. */
@Tag("slow")
class DiskFullTest {

  @TempDir Path dir;

  private static int run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getInputStream().readAllBytes();
    return process.waitFor();
  }

  @Test
  void fullDisk_losesNothingAndIsLeftBehind() throws Exception {
    Path data = Files.createDirectory(dir.resolve("data"));
    boolean mounted = run("mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", data.toString()) == 0;
    try {
      fillAndFree(data, mounted);
    } finally {
      if (mounted) {
        run("umount", "-l", data.toString());
      }
    }
  }

  private void fillAndFree(Path data, boolean mounted) throws Exception {
    Path acks = dir.resolve("acks");
    Path errors = dir.resolve("errors");
    Path ballast = data.resolve("ballast");
    if (mounted) {
      Files.write(ballast, new byte[30 << 20]);
    }
    Process process = AckingProcess.start(data, 0, acks, errors);
    try {
      Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> Files.size(acks) > 0);
      if (!mounted) { // where nothing can be mounted, its files may not grow
        String limit = "--fsize=900000:unlimited";
        assertThat(run("prlimit", "--pid", Long.toString(process.pid()), limit)).isZero();
      }
      Awaitility.await()
          .atMost(60, TimeUnit.SECONDS)
          .until(
              () ->
                  Files.readString(errors, StandardCharsets.UTF_8).contains("cannot write")
                      && Files.size(acks) == sizeLater(acks));
      long whenFull = Files.size(acks);
      if (mounted) {
        Files.delete(ballast);
      } else {
        String limit = "--fsize=unlimited:unlimited";
        assertThat(run("prlimit", "--pid", Long.toString(process.pid()), limit)).isZero();
      }
      Awaitility.await()
          .atMost(60, TimeUnit.SECONDS)
          .until(() -> Files.size(acks) > whenFull + 10_000);
    } finally {
      process.destroyForcibly().waitFor();
    }
    Vertx vertx = Vertx.vertx();
    LogChecker log = new LogChecker(vertx, data);
    Set<Integer> lost = AckingProcess.acknowledged(acks);
    lost.removeAll(log.readOn(0));
    assertThat(lost).isEmpty();
    vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
  }

  /** Whether nothing more is acknowledged can only be seen by waiting. */
  private static long sizeLater(Path acks) throws Exception {
    long before = Files.size(acks);
    Awaitility.await().pollDelay(Duration.ofMillis(1500)).until(() -> true);
    assertThat(Files.size(acks)).isGreaterThanOrEqualTo(before);
    return Files.size(acks);
  }
}
