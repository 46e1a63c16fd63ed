package io.shardbus.sink.redis;

import io.shardbus.sink.support.PositionCursor;
import java.util.Map;

/*
 * The id of a stream's entry: milliseconds and a number within them. A cursor holds the two as positions of their own.
 */
record EntryId(long millis, long number) {

  private static final String NUMBER = "-n";

  static EntryId parse(String text) {
    int dash = text.indexOf('-');
    return new EntryId(
        Long.parseLong(text.substring(0, dash)), Long.parseLong(text.substring(dash + 1)));
  }

  static EntryId of(PositionCursor cursor, String shard) {
    return new EntryId(cursor.position(shard), cursor.position(shard + NUMBER));
  }

  void put(Map<String, Long> positions, String shard) {
    positions.put(shard, millis);
    positions.put(shard + NUMBER, number);
  }

  EntryId orLater(EntryId other) {
    boolean later = other.millis > millis || (other.millis == millis && other.number > number);
    return later ? other : this;
  }

  @Override
  public String toString() {
    return millis + "-" + number;
  }
}
