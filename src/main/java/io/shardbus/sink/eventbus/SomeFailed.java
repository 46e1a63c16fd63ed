package io.shardbus.sink.eventbus;

import java.util.BitSet;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The text of a failure that concerns some events of a batch: their indexes, and why.
 *
 * @param indexes which events of the batch
 * @param reason why
 */
record SomeFailed(BitSet indexes, String reason) {

  private static final Pattern RANGE = Pattern.compile("(\\d{1,9})(?:-(\\d{1,9}))?");

  String format() {
    StringJoiner ranges = new StringJoiner(",");
    for (int from = indexes.nextSetBit(0); from >= 0; ) {
      int last = indexes.nextClearBit(from) - 1;
      ranges.add(from == last ? Integer.toString(from) : from + "-" + last);
      from = indexes.nextSetBit(last + 1);
    }
    return ranges + " " + reason;
  }

  /** Null if the text does not fit a batch of this size. */
  static @Nullable SomeFailed parse(@Nullable String text, int size) {
    int space = text == null ? -1 : text.indexOf(' ');
    if (text == null || space < 0) {
      return null;
    }
    BitSet indexes = new BitSet();
    for (String range : text.substring(0, space).split(",", -1)) {
      Matcher ends = RANGE.matcher(range);
      if (!ends.matches()) {
        return null;
      }
      int from = Integer.parseInt(ends.group(1));
      int last = ends.group(2) == null ? from : Integer.parseInt(ends.group(2));
      if (from > last || last >= size) {
        return null;
      }
      indexes.set(from, last + 1);
    }
    return new SomeFailed(indexes, text.substring(space + 1));
  }
}
