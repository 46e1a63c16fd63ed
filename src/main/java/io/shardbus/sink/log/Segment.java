package io.shardbus.sink.log;

import io.shardbus.files.DurableFile;
import io.shardbus.files.PrivateFiles;
import io.shardbus.files.SqliteFiles;
import io.shardbus.sink.log.LogSinkOptions.Synchronous;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/**
 * One file of the log: a SQLite database of one writer, with that writer's events from a position
 * on.
 *
 * @param path the file
 * @param writer the writer's number
 * @param first the position of its first event
 */
record Segment(Path path, int writer, long first) {

  private static final Pattern NAME = Pattern.compile("writer-(\\d{1,3})-(\\d{19})\\.db");

  /**
   * Measured: small blocks take up to a third less room than with 4 KiB, and writing is as fast.
   * With 16 KiB, more would be written for a few events.
   */
  private static final int PAGE_BYTES = 8192;

  /**
   * What SQLite says of a file whose description of its tables makes no sense, or of bad sectors.
   */
  private static final Set<SQLiteErrorCode> UNREADABLE =
      EnumSet.of(
          SQLiteErrorCode.SQLITE_ERROR,
          SQLiteErrorCode.SQLITE_TOOBIG,
          SQLiteErrorCode.SQLITE_FORMAT,
          SQLiteErrorCode.SQLITE_IOERR_READ,
          SQLiteErrorCode.SQLITE_IOERR_SHORT_READ);

  private static final String LAST = "SELECT last, %s FROM blocks ORDER BY last DESC LIMIT 1";

  static Segment in(Path dir, int writer, long first) {
    return new Segment(dir.resolve(name(writer, first)), writer, first);
  }

  private static String name(int writer, long first) {
    return String.format(Locale.ROOT, "writer-%d-%019d.db", writer, first);
  }

  static Optional<Segment> of(Path file) {
    Matcher matcher = NAME.matcher(file.getFileName().toString());
    return matcher.matches()
        ? Optional.of(
            new Segment(file, Integer.parseInt(matcher.group(1)), Long.parseLong(matcher.group(2))))
        : Optional.empty();
  }

  /** By which its blocks and rows know where they belong. */
  int number() {
    CRC32C crc = new CRC32C();
    crc.update(path.getFileName().toString().getBytes(StandardCharsets.US_ASCII));
    return (int) crc.getValue();
  }

  /** The same writer's file for the events behind a position. */
  Segment after(long last) {
    return new Segment(path.resolveSibling(name(writer, last + 1)), writer, last + 1);
  }

  /** Makes an empty file. Its name is enough to tell where positions go on. */
  void make() throws IOException {
    DurableFile.make(path);
  }

  /** Opens it for writing, and makes it if it is not there. */
  Connection openForWriting(Synchronous synchronous) throws IOException, SQLException {
    PrivateFiles.make(path);
    SQLiteConfig config = new SQLiteConfig();
    config.setSynchronous(
        SQLiteConfig.SynchronousMode.valueOf(synchronous.name().toUpperCase(Locale.ROOT)));
    Connection connection = config.createConnection("jdbc:sqlite:" + path);
    try (Statement statement = connection.createStatement()) {
      statement.execute("PRAGMA page_size = " + PAGE_BYTES); // before the mode, and only at first
      statement.execute("PRAGMA journal_mode = WAL");
      statement.execute(Tables.CREATE_TIMES);
      statement.execute(Tables.CREATE_BLOCKS);
      connection.setAutoCommit(false);
      return connection;
    } catch (SQLException e) {
      connection.close();
      throw e;
    }
  }

  /** Opens a file for reading, also while it is written. */
  static Connection openForReading(Path file) throws SQLException {
    SQLiteConfig config = new SQLiteConfig();
    config.setReadOnly(true);
    config.setBusyTimeout(5_000);
    return config.createConnection("jdbc:sqlite:" + file);
  }

  /** Opens it for reading, once the writer has begun its next file. */
  Connection openWritten(Opening.Way way) throws IOException, SQLException {
    return SqliteFiles.isMerged(path) ? SqliteFiles.openUnchanging(path) : way.open(path);
  }

  /**
   * Whether SQLite finds the file sound, and its last position is. Reads all of it. Opens it for
   * writing, because a process that was killed while it made the file has left a transaction to
   * roll back.
   */
  boolean isSound() throws IOException, SQLException {
    return Opening.evenIfFull(
        file -> new SQLiteConfig().createConnection("jdbc:sqlite:" + file), this::isSound);
  }

  private boolean isSound(Opening.Way way) throws IOException, SQLException {
    try (Connection connection = way.open(path);
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery("PRAGMA quick_check(1)")) {
      if (!result.next() || !result.getString(1).equals("ok")) {
        return false;
      }
      last(connection);
      return true;
    } catch (SQLException e) {
      if (isNotMadeYet(e)) {
        return true;
      }
      if (isDamage(e)) {
        return false;
      }
      throw e;
    }
  }

  /** The bytes of the file cannot be what SQLite has written, or the disk cannot read some. */
  static boolean isDamage(SQLException e) {
    return SqliteFiles.isDamage(e)
        || (e instanceof SQLiteException known && UNREADABLE.contains(known.getResultCode()));
  }

  /** The file has no table: a writer is making it, or was killed while it did. */
  static boolean isNotMadeYet(SQLException e) {
    return e.getMessage() != null && e.getMessage().contains("no such table");
  }

  /** Whether it is surely deleted: by the limits since the folder was listed, or by hand. */
  boolean isGone() {
    return Files.notExists(path);
  }

  /**
   * The position of the last event; that before the first if there is none. If the columns of the
   * last row are damaged, it fails as SQLite does for damage.
   */
  long last() throws IOException, SQLException {
    return Opening.evenIfFull(Segment::openForReading, this::last);
  }

  private long last(Opening.Way way) throws IOException, SQLException {
    try (Connection connection = way.open(path)) {
      return last(connection);
    } catch (SQLException e) {
      if (isNotMadeYet(e) || isGone()) {
        return first - 1;
      }
      throw e;
    }
  }

  private long last(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(LAST.formatted(Tables.soundBlock(number())))) {
      if (!result.next()) {
        return first - 1;
      }
      if (!result.getBoolean(2)) {
        throw new SQLiteException("the last row is damaged", SQLiteErrorCode.SQLITE_CORRUPT);
      }
      return result.getLong(1);
    }
  }

  /** A position that is not before the last one, also if the file is too damaged to know it. */
  long lastAtMost() throws IOException, SQLException {
    try {
      return last();
    } catch (SQLException e) {
      if (isDamage(e)) {
        return beyond();
      }
      throw e;
    }
  }

  /** A position that is not before the last: an event takes more than a byte. */
  long beyond() throws IOException {
    return first + bytes();
  }

  /** When its first event was ingested; 0 if there is none. */
  long begunMillis(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet result =
            statement.executeQuery("SELECT newest FROM blocks ORDER BY last LIMIT 1")) {
      return result.next() ? TimeUnit.NANOSECONDS.toMillis(result.getLong(1)) : 0;
    }
  }

  /** With the writes that are not merged into the file yet. */
  long bytes() throws IOException {
    long bytes = 0;
    for (Path part : SqliteFiles.of(path)) {
      try {
        bytes += Files.size(part);
      } catch (NoSuchFileException e) {
        // Not there, or merged into the file just now.
      }
    }
    return bytes;
  }

  /** When it was last written. SQLite may not touch the file itself for a long time. */
  long modifiedMillis() throws IOException {
    long merged = Files.getLastModifiedTime(path).toMillis();
    Path rest = SqliteFiles.notMerged(path);
    try { // an empty one was only made for a reader
      return Files.size(rest) == 0
          ? merged
          : Math.max(merged, Files.getLastModifiedTime(rest).toMillis());
    } catch (NoSuchFileException e) {
      return merged;
    }
  }

  void delete() throws IOException {
    for (Path part : SqliteFiles.of(path)) {
      Files.deleteIfExists(part);
    }
  }
}
