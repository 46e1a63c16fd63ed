package io.shardbus.sink.log;

import io.shardbus.files.FolderLock;
import io.shardbus.files.SqliteFiles;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.support.PositionCursor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;

/**
 * Reads a folder of the embedded log without a bus, also a damaged folder, and also while a bus
 * writes to it. Changes nothing in it. While it is open and no bus has the folder, no bus can open
 * it. For one thread; everything blocks.
 */
public final class LogFolder implements AutoCloseable {

  private final Path dir;
  private final Consumer<String> tell;
  private final LogDamage damage;
  private final boolean inUse;
  private final @Nullable FolderLock lock;

  /** Holds copies of files that SQLite would have to change before it can read them. */
  private @Nullable Path copies;

  private LogFolder(Path dir, Consumer<String> tell, boolean inUse, @Nullable FolderLock lock) {
    this.dir = dir;
    this.tell = tell;
    this.inUse = inUse;
    this.lock = lock;
    damage = new LogDamage(tell);
  }

  /**
   * Opens a folder.
   *
   * @param dir the folder with the log's files
   * @param tell told of each damaged place, in a sentence with the file and the positions
   * @return the open folder
   * @throws IllegalArgumentException if the folder holds no log, or one of another format
   * @throws IOException if the folder cannot be read
   */
  public static LogFolder open(Path dir, Consumer<String> tell) throws IOException {
    Path format = dir.resolve(LogFiles.FORMAT_FILE);
    boolean isNamed = Files.exists(format);
    if (!isNamed && (!Files.isDirectory(dir) || LogFiles.segments(dir).isEmpty())) {
      throw new IllegalArgumentException(
          dir + " holds no log: name the folder of the files writer-N-POSITION.db");
    }
    String found = isNamed ? Files.readString(format, StandardCharsets.ISO_8859_1).strip() : "";
    if (!found.equals(LogFiles.FORMAT)) {
      if (found.matches("\\d{1,9}")) {
        throw new IllegalArgumentException(LogFiles.other(dir, found));
      }
      tell.accept("the file " + format + " is damaged: it must hold " + LogFiles.FORMAT);
    }
    if (!Files.exists(dir.resolve(LogFiles.LOCK))) { // in a copy
      return new LogFolder(dir, tell, false, null);
    }
    FolderLock lock = FolderLock.share(dir, LogFiles.LOCK);
    return new LogFolder(dir, tell, lock == null, lock);
  }

  /** {@return whether a bus has the folder open} */
  public boolean isInUse() {
    return inUse;
  }

  /**
   * Reads a page of events.
   *
   * @param query which; its cursor is of a page of this folder
   * @return the page
   * @throws IOException if the folder cannot be read; damage is no reason
   */
  public EventPage read(EventQuery query) throws IOException {
    try {
      return LogReader.read(
          LogFiles.segments(dir),
          damage,
          PositionCursor.parse(query.cursor(), LogSink.NAME),
          query,
          newest -> {},
          this::openFile);
    } catch (SQLException e) {
      throw new IOException("cannot read " + dir + ": " + e.getMessage(), e);
    }
  }

  /**
   * Reads all events, and looks for damage also where no events are.
   *
   * @return how many events can be read
   * @throws IOException if the folder cannot be read; damage is no reason
   */
  public long check() throws IOException {
    Path id = dir.resolve(LogFiles.ID);
    if (Files.exists(id)) {
      try {
        LogFiles.readId(id);
      } catch (IOException e) {
        tell.accept(e.getMessage());
      }
    }
    List<Segment> segments = LogFiles.segments(dir);
    for (int i = 0; i < segments.size(); i++) {
      Segment next = i + 1 < segments.size() ? segments.get(i + 1) : null;
      checkFile(segments.get(i), next == null || next.writer() != segments.get(i).writer());
    }
    long events = 0;
    EventQuery query = EventQuery.of(null, EventQuery.MAX_LIMIT);
    EventPage page;
    do {
      page = read(query);
      events += page.events().size();
      query = query.withCursor(page.cursor());
    } while (page.more());
    return events;
  }

  private void checkFile(Segment file, boolean newest) throws IOException {
    try (Connection connection = newest ? openFile(file.path()) : file.openWritten(this::openFile);
        Statement statement = connection.createStatement()) {
      try (ResultSet found = statement.executeQuery("PRAGMA quick_check(1)")) {
        while (found.next()) {
          if (!found.getString(1).equals("ok")) {
            tellDamage(file, found.getString(1));
          }
        }
      }
      checkRows(file, statement, "blocks", "last", Tables.soundBlock(file.number()));
      checkRows(file, statement, "times", "position", Tables.soundTime(file.number()));
    } catch (SQLException e) {
      if (Segment.isNotMadeYet(e) || file.isGone()) {
        return;
      }
      if (Segment.isDamage(e)) {
        tellDamage(file, String.valueOf(e.getMessage()));
      } else {
        throw new IOException("cannot read " + file.path() + ": " + e.getMessage(), e);
      }
    }
  }

  private void checkRows(
      Segment file, Statement statement, String table, String position, String sound)
      throws SQLException {
    try (ResultSet row =
        statement.executeQuery(
            "SELECT count(*), min(%s) FROM %s WHERE NOT %s".formatted(position, table, sound))) {
      if (row.next() && row.getLong(1) > 0) {
        tellDamage(
            file,
            "the columns of %d rows of %s, the first at the position %d"
                .formatted(row.getLong(1), table, row.getLong(2)));
      }
    }
  }

  private void tellDamage(Segment file, String what) {
    tell.accept("the log file " + file.path() + " is damaged: " + what.replace('\n', ' '));
  }

  private Connection openFile(Path file) throws IOException, SQLException {
    if (inUse) {
      return Segment.openForReading(file);
    }
    return SqliteFiles.isMerged(file)
        ? SqliteFiles.openUnchanging(file)
        : new SQLiteConfig().createConnection("jdbc:sqlite:" + copy(file));
  }

  private Path copy(Path file) throws IOException {
    if (copies == null) {
      copies = Files.createTempDirectory("shardbus-log");
    }
    Path copy = copies.resolve(file.getFileName());
    if (!Files.exists(copy)) {
      SqliteFiles.copy(file, copy);
    }
    return copy;
  }

  @Override
  public void close() throws IOException {
    if (copies != null) {
      for (Segment copy : LogFiles.segments(copies)) {
        copy.delete();
      }
      Files.delete(copies);
    }
    if (lock != null) {
      lock.close();
    }
  }
}
