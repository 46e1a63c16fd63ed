package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.shardbus.testing.AckingProcess;
import io.shardbus.testing.LogChecker;
import io.vertx.core.Vertx;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/** The script of the documents copies a log while it is written. */
@Tag("slow")
class BackupTest {

  private static final Pattern SCRIPT =
      Pattern.compile("```sh\n(from=[^`]*VACUUM INTO[^`]*)```", Pattern.DOTALL);

  @TempDir Path dir;

  @RepeatedTest(2)
  void copyOfARunningLog_hasAllThatWasAcknowledgedBefore() throws Exception {
    assumeTrue(new ProcessBuilder("which", "sqlite3").start().waitFor() == 0);
    Matcher script = SCRIPT.matcher(Files.readString(Path.of("docs/operating.md")));
    assertThat(script.find()).isTrue();
    Path acks = dir.resolve("acks");
    Process process = AckingProcess.start(dir.resolve("data"), 0, acks, dir.resolve("errors"));
    Set<Integer> before;
    Process copying;
    try {
      Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> Files.size(acks) > 2_000_000);
      before = AckingProcess.acknowledged(acks);
      long size = Files.size(acks);
      copying =
          new ProcessBuilder("sh", "-euc", script.group(1))
              .directory(dir.toFile())
              .redirectErrorStream(true)
              .redirectOutput(dir.resolve("copying").toFile())
              .start();
      assertThat(copying.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(Files.size(acks)).as("written meanwhile").isGreaterThan(size);
    } finally {
      process.destroyForcibly().waitFor();
    }
    assertThat(copying.exitValue()).as(Files.readString(dir.resolve("copying"))).isZero();
    Vertx vertx = Vertx.vertx();
    Set<Integer> found = new LogChecker(vertx, dir.resolve("backup")).readOn(0);
    assertThat(found).hasSizeGreaterThan(100_000);
    before.removeAll(found); // of sets: AssertJ compares each with each, which takes minutes
    assertThat(before).as("acknowledged and not in the copy").isEmpty();
    vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
  }
}
