package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.testing.StarvedProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/** A process that other code has run out of memory, and that lives on. */
@Tag("slow")
class OutOfMemoryTest {

  @TempDir Path dir;

  @RepeatedTest(2)
  void busThatRanOutOfMemory_goesOnAndCountsExactly() throws Exception {
    Path output = dir.resolve("output");
    Process process = StarvedProcess.start(output);
    boolean ended = process.waitFor(90, TimeUnit.SECONDS);
    process.destroyForcibly();
    assertThat(ended).isTrue();
    assertThat(Files.readString(output)).contains("ok: ").doesNotContain("WRONG");
  }
}
