package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.shard.ScalingPolicy;
import io.shardbus.testing.FloodProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RingMemoryTest {

  private static final long MIB = 1 << 20;

  @ParameterizedTest
  @CsvSource({
    "1, 16, 4096",
    "2, 64, 8192",
    "3, 64, 4096",
    "4, 64, 4096",
    "5, 64, 2048",
    "16, 64, 1024",
    "65535, 64, 1024",
    "2, 512, 65536",
    "2, 511, 32768",
    "8, 2048, 65536",
    "16, 2048, 32768",
    "1, 1048576, 65536",
    "1, 1, 1024"
  })
  void capacity_isAPowerOfTwoThatFitsInAQuarterOfTheHeap(int rings, long mib, int capacity) {
    assertThat(RingMemory.capacity(rings, mib * MIB)).isEqualTo(capacity);
  }

  @Test
  void shards_areThoseThatThereCanBe() {
    ShardBusOptions options = new ShardBusOptions().setShards(4);
    assertThat(RingMemory.shards(options)).isEqualTo(4);
    options.setScaling(ScalingPolicy.defaults(9));
    assertThat(RingMemory.shards(options)).isEqualTo(9);
    options.setScaling(ScalingPolicy.defaults(2));
    assertThat(RingMemory.shards(options)).isEqualTo(4);
    options.setScaling(ScalingPolicy.defaults(2).setMinShards(7));
    assertThat(RingMemory.shards(options)).isEqualTo(7);
  }

  /** While keys move a shard has its old ring and a fresh one. */
  @Test
  void rings_areTwoAShardIfShardsComeAndGo() {
    ShardBusOptions options = new ShardBusOptions().setShards(4);
    assertThat(RingMemory.rings(options)).isEqualTo(4);
    options.setScaling(ScalingPolicy.defaults(6));
    assertThat(RingMemory.rings(options)).isEqualTo(12);
  }

  /**
   * @param maxShards 0 for a fixed number of shards
   */
  @ParameterizedTest
  @CsvSource({
    "1, 0", "2, 0", "4, 0", "8, 0", "16, 0", "30, 0", "1, 2", "2, 4", "2, 8", "4, 8", "5, 10"
  })
  void defaults_fitInAnyHeapFrom128MiBOn(int shards, int maxShards) {
    for (long mib : new long[] {128, 129, 150, 200, 256, 300, 512, 1000, 1024, 4096, 100_000}) {
      ShardBusOptions options = new ShardBusOptions().setShards(shards);
      options.getBatch().setMaxBytes((int) Math.min(8 * MIB, mib * MIB / 128)); // the default there
      if (maxShards > 0) {
        options.setScaling(ScalingPolicy.defaults(maxShards));
      }
      RingMemory.fit(options, mib * MIB);
      options.validate();
      assertThat(RingMemory.warning(options, mib * MIB)).as("%d MiB", mib).isEmpty();
      assertThat(options.getMaxEventBytes()).isGreaterThanOrEqualTo(1 << 20);
      if (mib == 100_000) {
        assertThat(options.getRingCapacity()).isEqualTo(65_536);
        assertThat(options.getMaxRingBytes()).isEqualTo(64 * MIB);
        assertThat(options.getMaxEventBytes()).isEqualTo(16 << 20);
      }
    }
  }

  @Test
  void whatIsSet_stays() {
    ShardBusOptions options = new ShardBusOptions().setShards(4).setMaxEventBytes(50 << 20);
    RingMemory.fit(options, 128 * MIB);
    assertThat(options.getMaxEventBytes()).isEqualTo(50 << 20);
    assertThat(options.getMaxRingBytes()).isEqualTo(50 * MIB);
    options = new ShardBusOptions().setMaxRingBytes(17 << 20).setRingCapacity(2048);
    RingMemory.fit(options, 128 * MIB);
    assertThat(options.getMaxEventBytes()).isEqualTo(16 << 20);
    assertThat(options.getMaxRingBytes()).isEqualTo(17 * MIB);
    assertThat(options.getRingCapacity()).isEqualTo(2048);
  }

  @Test
  void whatFits_isNotWarnedOf() {
    ShardBusOptions options = new ShardBusOptions().setShards(2).setRingCapacity(1024);
    options.setMaxEventBytes(16 << 20).setMaxRingBytes(16 << 20);
    options.getBatch().setMaxBytes(1 << 20); // 1 + 16 + 2 MiB a shard
    assertThat(RingMemory.warning(options, 38 * MIB)).isEmpty();
    assertThat(RingMemory.warning(options, 38 * MIB - 1).orElseThrow())
        .contains("the heap is 37 MiB, but 2 shards can hold 38 MiB");
    options.setScaling(ScalingPolicy.defaults(8));
    assertThat(RingMemory.warning(options, 38 * MIB).orElseThrow())
        .contains("8 shards")
        .contains("16 rings");
  }

  /** Whoever does what the warning says is not warned again. */
  @ParameterizedTest
  @CsvSource({
    "2, 0, 65536, 64",
    "2, 0, 65536, 128",
    "2, 8, 65536, 256",
    "8, 0, 1048576, 1024",
    "64, 0, 65536, 1024",
    "64, 0, 65536, 512",
    "1000, 0, 1024, 64",
    "1, 65535, 1024, 64",
    "1, 0, 1024, 16"
  })
  void advice_fits(int shards, int maxShards, int capacity, long mib) {
    ShardBusOptions options = new ShardBusOptions().setShards(shards).setRingCapacity(capacity);
    options.setMaxEventBytes(16 << 20).setMaxRingBytes(64 * MIB);
    if (maxShards > 0) {
      options.setScaling(ScalingPolicy.defaults(maxShards));
    }
    String warning = RingMemory.warning(options, mib * MIB).orElseThrow();
    long xmx = number(warning, "-Xmx(\\d+)m");
    assertThat(RingMemory.warning(options, xmx * MIB)).isEmpty();
    if (warning.contains("at the most")) {
      // Fewer shards first; the warning that is left says the rest.
      int fewer = (int) number(warning, "hards to (\\d+) at the most");
      assertThat(fewer).isLessThan(Math.max(shards, maxShards));
      options.setShards(Math.min(shards, fewer));
      if (maxShards > 0) {
        options.getScaling().setMaxShards(fewer);
      }
      warning = RingMemory.warning(options, mib * MIB).orElse("");
      assertThat(warning).doesNotContain("at the most");
    }
    long ring = number(warning, "ringCapacity to (\\d+)");
    long ringBytes = number(warning, "maxRingBytes to (\\d+)");
    long eventBytes = number(warning, "maxEventBytes to (\\d+)");
    long batchBytes = number(warning, "batch.maxBytes to (\\d+)");
    options.setRingCapacity(ring < 0 ? capacity : (int) ring);
    options.setMaxRingBytes(ringBytes < 0 ? options.getMaxRingBytes() : ringBytes);
    options.setMaxEventBytes(eventBytes < 0 ? options.getMaxEventBytes() : (int) eventBytes);
    options
        .getBatch()
        .setMaxBytes(batchBytes < 0 ? options.getBatch().getMaxBytes() : (int) batchBytes);
    options.validate();
    assertThat(RingMemory.warning(options, mib * MIB)).as(warning).isEmpty();
  }

  private static long number(String text, String pattern) {
    Matcher found = Pattern.compile(pattern).matcher(text);
    return found.find() ? Long.parseLong(found.group(1)) : -1;
  }

  /** With the defaults: nothing is set but the heap. */
  @Test
  @Tag("slow")
  void floodAgainstAHungSink_onASmallHeapIsRefusedAndCounted(@TempDir Path dir) throws Exception {
    Path out = dir.resolve("out");
    Path errors = dir.resolve("errors");
    Process process = FloodProcess.start("64m", out, errors);
    try {
      assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    String text = Files.readString(errors);
    assertThat(text).doesNotContain("OutOfMemoryError");
    assertThat(process.exitValue()).as(text).isZero();
    assertThat(Files.readString(out)).startsWith("balanced");
    assertThat(text).doesNotContain("the heap is");
  }
}
