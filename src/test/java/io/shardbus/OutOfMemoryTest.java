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

  private static final int RUNS = 5;

  @TempDir Path dir;

  @RepeatedTest(2)
  void busThatRanOutOfMemory_goesOnAndCountsExactly() throws Exception {
    String output = run();
    for (int i = 1; i < RUNS && lostAnEventLoop(output); i++) {
      assertThat(output).contains("WRONG: flush does not end; faults: none");
      output = run();
    }
    assertThat(output).contains("ok: ").doesNotContain("WRONG");
  }

  /**
   * The Error may also end a thread of Netty, which is not ours to mend: nothing runs there again.
   */
  private static boolean lostAnEventLoop(String output) {
    return output.contains("event executor terminated") // or an Error kept that from being logged
        || output.contains("Exception in thread \"vert.x-eventloop-thread");
  }

  private String run() throws Exception {
    Path output = dir.resolve("output");
    Process process = StarvedProcess.start(output);
    boolean ended = process.waitFor(90, TimeUnit.SECONDS);
    process.destroyForcibly();
    assertThat(ended).isTrue();
    return Files.readString(output);
  }
}
