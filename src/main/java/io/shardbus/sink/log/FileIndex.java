package io.shardbus.sink.log;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.TimeUnit;

/*
 * What a file of the log holds beside its blocks: now and then the greatest time of an event up to a position. Belongs
 * to the writer and its connection; a transaction that fails ends both.
 */
final class FileIndex {

  private static final String LAST_TIME =
      "SELECT time, position FROM times WHERE " + Tables.SOUND_TIME + " ORDER BY time DESC LIMIT 1";

  /** A row that is damaged may have events of any time. */
  private static final String LATER =
      "SELECT max(CASE WHEN "
          + Tables.SOUND_BLOCK
          + " THEN newest ELSE "
          + Long.MAX_VALUE
          + " END), max(last) FROM blocks WHERE last > ";

  private static final String BEFORE =
      "SELECT position FROM times WHERE time < ? AND "
          + Tables.SOUND_TIME
          + " ORDER BY time DESC LIMIT 1";

  /** Small beside what is read at once, and few rows. */
  private static final long BETWEEN_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Connection connection;

  /** The greatest time of the events up to the position, and the last one that is in the file. */
  private long greatest;

  private long position;
  private long marked;

  FileIndex(Connection connection) throws SQLException {
    this.connection = connection;
    marked = Long.MIN_VALUE;
    greatest = Long.MIN_VALUE;
    try (Statement statement = connection.createStatement()) {
      try (ResultSet last = statement.executeQuery(LAST_TIME)) {
        if (last.next()) {
          marked = last.getLong(1);
          greatest = marked;
          position = last.getLong(2);
        }
      }
      try (ResultSet later = statement.executeQuery(LATER + position)) {
        if (later.next() && later.getLong(2) > 0) {
          passed(later.getLong(2), later.getLong(1));
        }
      }
    }
  }

  void passed(long to, long timestamp) {
    position = to;
    greatest = Math.max(greatest, timestamp);
  }

  /** Before a commit. */
  void mark() throws SQLException {
    if (marked == Long.MIN_VALUE ? greatest == marked : greatest - marked < BETWEEN_NANOS) {
      return;
    }
    try (PreparedStatement add = connection.prepareStatement(Tables.ADD_TIME)) {
      add.setLong(1, greatest);
      add.setLong(2, position);
      add.executeUpdate();
    }
    marked = greatest;
  }

  /** A position in the file up to which all events are older; 0 if there is none. */
  static long olderThan(Connection file, long time) throws SQLException {
    try (PreparedStatement select = file.prepareStatement(BEFORE)) {
      select.setLong(1, time);
      try (ResultSet row = select.executeQuery()) {
        return row.next() ? row.getLong(1) : 0;
      }
    }
  }
}
