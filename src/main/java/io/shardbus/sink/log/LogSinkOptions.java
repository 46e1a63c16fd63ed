package io.shardbus.sink.log;

import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How the embedded log keeps events. */
@DataObject
public final class LogSinkOptions {

  /** When a write counts as durable. SQLite calls this synchronous. */
  public enum Synchronous {
    /** Synced to the disk before it is confirmed: survives the loss of power. */
    full,
    /** Synced now and then: survives the end of the process, not always the loss of power. */
    normal,
    /** Left to the operating system: survives the end of the process. */
    off
  }

  /** The default of {@code segmentBytes}: 1 GiB. */
  public static final long DEFAULT_SEGMENT_BYTES = 1L << 30;

  private static final int DEFAULT_WRITERS = 1;
  private static final long MIN_SEGMENT_BYTES = 64 << 10;
  private static final int FILES_IN_LOG = 4; // so whole files can be deleted

  private @Nullable String dir;
  private int writers = DEFAULT_WRITERS;
  private Synchronous synchronous = Synchronous.full;
  private long segmentBytes = DEFAULT_SEGMENT_BYTES;
  private Duration retention = Duration.ZERO;
  private long maxBytes;

  /** The defaults. */
  public LogSinkOptions() {}

  /**
   * @param other the options to copy
   */
  public LogSinkOptions(LogSinkOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public LogSinkOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /** {@return the folder of the log's files; null for {@code log} in the bus's data folder} */
  public @Nullable String getDir() {
    return dir;
  }

  /**
   * @param folder the folder of the log's files; null for {@code log} in the bus's data folder
   * @return this
   */
  @OptionSpec(
      value = "folder of the log's files",
      allowed = "a path",
      unset = "`log` in the data folder")
  public LogSinkOptions setDir(@Nullable String folder) {
    dir = folder;
    return this;
  }

  /** {@return how many files are written at once} */
  public int getWriters() {
    return writers;
  }

  /**
   * @param count how many files are written at once, each by a thread of its own, 1 to 64. With one
   *     file, all shards share each sync
   * @return this
   */
  @OptionSpec(
      value = "files written at once; with one, all shards share each sync",
      min = "1",
      max = "64")
  public LogSinkOptions setWriters(int count) {
    writers = OptionRanges.check(this, "writers", count);
    return this;
  }

  /** {@return when a write counts as durable} */
  public Synchronous getSynchronous() {
    return synchronous;
  }

  /**
   * @param when when a write counts as durable
   * @return this
   */
  @OptionSpec(
      "when an event counts as written: `full`: synced to the disk; `normal`: synced now and then;"
          + " `off`: left to the operating system")
  public LogSinkOptions setSynchronous(Synchronous when) {
    synchronous = when;
    return this;
  }

  /** {@return the size at which a file is closed and the next one begun, in bytes} */
  public long getSegmentBytes() {
    return segmentBytes;
  }

  /**
   * @param bytes the size at which a file is closed and the next one begun
   * @return this
   */
  @OptionSpec(value = "size at which a new file begins, in bytes", min = "65536")
  public LogSinkOptions setSegmentBytes(long bytes) {
    segmentBytes = OptionRanges.check(this, "segmentBytes", bytes);
    return this;
  }

  /**
   * {@return how long events are kept at least, and about a quarter longer at most; zero for ever}
   */
  public Duration getRetention() {
    return retention;
  }

  /**
   * @param time how long events are kept at least; zero for ever. A file takes events for a quarter
   *     of this time and is deleted as a whole, so events are kept about a quarter longer at most
   * @return this
   */
  @OptionSpec(
      value =
          "how long events are kept at least; whole files are deleted, so events are kept about"
              + " a quarter longer at most; `0s`: for ever",
      min = "0s",
      max = "36500d",
      unset = "`7d` (server), `0s` (embedded)")
  public LogSinkOptions setRetention(Duration time) {
    retention = OptionRanges.check(this, "retention", time);
    return this;
  }

  /**
   * @return how large the log may grow before its oldest files are deleted, in bytes; 0 for no
   *     limit
   */
  public long getMaxBytes() {
    return maxBytes;
  }

  /**
   * @param bytes the size of the log, in bytes, at which its oldest files are deleted; 0 for no
   *     limit. The current files are never deleted, so they are kept small enough, whatever {@code
   *     segmentBytes} is
   * @return this
   */
  @OptionSpec(
      value =
          "size of the log at which its oldest files are deleted, in bytes; 0: no limit. The"
              + " files that are written stay below a quarter of it",
      min = "0",
      allowed = "262144 for each writer if not 0")
  public LogSinkOptions setMaxBytes(long bytes) {
    maxBytes = OptionRanges.check(this, "maxBytes", bytes);
    return this;
  }

  /** The files that are being written may take a quarter of the log together. */
  long effectiveSegmentBytes() {
    return maxBytes == 0 ? segmentBytes : Math.min(segmentBytes, maxBytes / FILES_IN_LOG / writers);
  }

  /** For how long a file takes events. */
  long fileMillis() {
    return retention.toMillis() / FILES_IN_LOG;
  }

  /** Checks the options against each other. */
  void validate() {
    long least = MIN_SEGMENT_BYTES * FILES_IN_LOG * writers;
    if (maxBytes != 0 && maxBytes < least) {
      throw new IllegalArgumentException(
          "maxBytes: " + maxBytes + " must be 0 or at least " + least + " with writers " + writers);
    }
  }

  /** {@return all options as JSON} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
