package io.shardbus.app;

import io.shardbus.options.Counted;
import io.vertx.core.json.JsonObject;
import java.util.Locale;

/** How commands say what is stored. */
final class StorageText {

  private static final String[] UNITS = {"byte", "KiB", "MiB", "GiB", "TiB"};
  private static final double STEP = 1024;
  private static final int SECOND_LENGTH = "2026-11-30T12:00:00".length();

  private StorageText() {}

  /**
   * One line.
   *
   * @param storage {@code storage} of {@code /v1/stats}
   */
  static String line(JsonObject storage) {
    String line = "stored " + bytes(storage.getLong("bytes"));
    String oldest = storage.getString("oldest");
    String newest = storage.getString("newest");
    if (oldest != null && newest != null) {
      line += ", events from " + second(oldest) + " to " + second(newest);
    }
    Long free = storage.getLong("freeBytes");
    return free == null ? line : line + ", " + bytes(free) + " free";
  }

  private static String second(String time) {
    return time.substring(0, SECOND_LENGTH) + "Z";
  }

  /** A size, in the unit that leaves the fewest digits. */
  static String bytes(long bytes) {
    double size = bytes;
    int unit = 0;
    while (size >= STEP && unit < UNITS.length - 1) {
      size /= STEP;
      unit++;
    }
    return unit == 0
        ? Counted.of(bytes, UNITS[0])
        : String.format(Locale.ROOT, "%.1f %s", size, UNITS[unit]);
  }
}
