package io.shardbus.sink.file;

import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Where the file sink writes, and when it begins a new file. */
@DataObject
public final class FileSinkOptions {

  /** The default of {@code maxBytes}: 128 MiB. */
  public static final long DEFAULT_MAX_BYTES = 128L << 20;

  /** The default of {@code maxAge}: 1 h. */
  public static final Duration DEFAULT_MAX_AGE = Duration.ofHours(1);

  static final String SINK_NAME = "file";

  private @Nullable String dir;
  private long maxBytes = DEFAULT_MAX_BYTES;
  private Duration maxAge = DEFAULT_MAX_AGE;
  private boolean gzip;
  private boolean sync = true;
  private boolean envelope = true;

  /** The defaults. */
  public FileSinkOptions() {}

  /**
   * @param other the options to copy
   */
  public FileSinkOptions(FileSinkOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public FileSinkOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /** {@return the folder of the files; null for {@code events} in the data folder} */
  public @Nullable String getDir() {
    return dir;
  }

  /**
   * @param folder the folder of the files; null for {@code events} in the data folder
   * @return this
   */
  @OptionSpec(
      value = "folder of the files",
      min = "1",
      allowed = "a path",
      unset = "`events` in the data folder")
  public FileSinkOptions setDir(@Nullable String folder) {
    dir = folder == null ? null : OptionRanges.check(this, "dir", folder);
    return this;
  }

  /** {@return the size of a file at which a new one begins} */
  public long getMaxBytes() {
    return maxBytes;
  }

  /**
   * @param bytes the size of a file at which a new one begins
   * @return this
   */
  @OptionSpec(value = "size at which a new file begins, in bytes", min = "1")
  public FileSinkOptions setMaxBytes(long bytes) {
    maxBytes = OptionRanges.check(this, "maxBytes", bytes);
    return this;
  }

  /** {@return the age of a file at which a new one begins; zero for no limit} */
  public Duration getMaxAge() {
    return maxAge;
  }

  /**
   * @param time the age of a file at which a new one begins; zero for no limit
   * @return this
   */
  @OptionSpec(
      value = "age at which a new file begins, also if no event comes; `0s`: no limit",
      min = "0s",
      max = "365d")
  public FileSinkOptions setMaxAge(Duration time) {
    maxAge = OptionRanges.check(this, "maxAge", time);
    return this;
  }

  /** {@return whether complete files are compressed} */
  public boolean isGzip() {
    return gzip;
  }

  /**
   * @param compress whether files are compressed once they are complete
   * @return this
   */
  @OptionSpec("whether files are compressed with gzip once they are complete")
  public FileSinkOptions setGzip(boolean compress) {
    gzip = compress;
    return this;
  }

  /** {@return whether events count as written only once they are on the disk} */
  public boolean isSync() {
    return sync;
  }

  /**
   * @param toDisk whether events count as written only once they are on the disk; else they can be
   *     lost if the machine fails, and not if the process does
   * @return this
   */
  @OptionSpec("whether events count as written only once they are on the disk (fsync)")
  public FileSinkOptions setSync(boolean toDisk) {
    sync = toDisk;
    return this;
  }

  /** {@return whether events are in envelopes} */
  public boolean isEnvelope() {
    return envelope;
  }

  /**
   * @param wrapped whether each line is an envelope with the event's key, id, headers and the rest;
   *     else it is only the event, which must be JSON
   * @return this
   */
  @OptionSpec("whether each event is in an envelope with its key, id and headers")
  public FileSinkOptions setEnvelope(boolean wrapped) {
    envelope = wrapped;
    return this;
  }

  /** {@return all options as JSON} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
