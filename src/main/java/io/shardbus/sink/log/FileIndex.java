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
      "SELECT time, position FROM times WHERE %s ORDER BY time DESC LIMIT 1";

  /** A row that is damaged may have events of any time. */
  private static final String LATER =
      "SELECT max(CASE WHEN %s THEN newest ELSE "
          + Long.MAX_VALUE
          + " END), max(last) FROM blocks WHERE last > ";

  private static final String BEFORE =
      "SELECT position FROM times WHERE time < ? AND %s ORDER BY time DESC LIMIT 1";

  /** Small beside what is read at once, and few rows. */
  private static final long BETWEEN_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Connection connection;
  private final int file;

  /** The greatest time of the events up to the position, and the last one that is in the file. */
  private long greatest;

  private long position;
  private long marked;

  /**
   * @param file the number of the file
   */
  FileIndex(Connection connection, int file) throws SQLException {
    this.connection = connection;
    this.file = file;
    marked = Long.MIN_VALUE;
    greatest = Long.MIN_VALUE;
    try (Statement statement = connection.createStatement()) {
      try (ResultSet last = statement.executeQuery(LAST_TIME.formatted(Tables.soundTime(file)))) {
        if (last.next()) {
          marked = last.getLong(1);
          greatest = marked;
          position = last.getLong(2);
        }
      }
      try (ResultSet later =
          statement.executeQuery(LATER.formatted(Tables.soundBlock(file)) + position)) {
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
    try (PreparedStatement add = connection.prepareStatement(Tables.addTime(file))) {
      add.setLong(1, greatest);
      add.setLong(2, position);
      add.executeUpdate();
    }
    marked = greatest;
  }

  /** A position in the file up to which all events are older; 0 if there is none. */
  static long olderThan(Connection connection, int file, long time) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(BEFORE.formatted(Tables.soundTime(file)))) {
      select.setLong(1, time);
      try (ResultSet row = select.executeQuery()) {
        return row.next() ? row.getLong(1) : 0;
      }
    }
  }
}
