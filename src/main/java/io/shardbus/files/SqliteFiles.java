package io.shardbus.files;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;
import org.sqlite.SQLiteJDBCLoader;
import org.sqlite.SQLiteOpenMode;

/** The files of a SQLite database, and what their errors mean. */
public final class SqliteFiles {

  /** A class of the library. */
  public static final String DRIVER = "org.sqlite.JDBC";

  /** The library, which an application without a data folder does not need. */
  public static final String LIBRARY = "org.xerial:sqlite-jdbc";

  /** Where the driver copies its native library to. */
  private static final String TEMPORARY = "org.sqlite.tmpdir";

  private static final String NOT_MERGED = "-wal";
  private static final String ROLLBACK = "-journal";

  /** The database, what is not merged into it yet with its index, and what may be rolled back. */
  private static final List<String> SUFFIXES = List.of("", NOT_MERGED, "-shm", ROLLBACK);

  /** The disk; the index beside a database; a quota. */
  private static final Set<SQLiteErrorCode> FULL =
      EnumSet.of(
          SQLiteErrorCode.SQLITE_FULL,
          SQLiteErrorCode.SQLITE_IOERR_SHMSIZE,
          SQLiteErrorCode.SQLITE_IOERR_WRITE);

  private static final int BUSY_MILLIS = 5_000;

  private SqliteFiles() {}

  /**
   * Loads the native library, so that the first file is opened sooner. The driver copies the
   * library into the temporary folder for that. This removes the copy at once, if the system allows
   * it: a process that is killed would leave it there. Blocks.
   */
  public static void load() {
    String base = System.getProperty(TEMPORARY, System.getProperty("java.io.tmpdir"));
    boolean posix = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
    try {
      Path folder =
          posix ? Files.createTempDirectory(Path.of(base), "shardbus-sqlite") : Path.of(base);
      System.setProperty(TEMPORARY, folder.toString());
      SQLiteJDBCLoader.initialize();
      if (posix) {
        try (Stream<Path> copies = Files.list(folder)) {
          for (Path copy : copies.toList()) {
            Files.delete(copy);
          }
        }
        Files.delete(folder);
      }
    } catch (Exception | LinkageError e) {
      // Who opens a file is told.
    } finally {
      System.setProperty(TEMPORARY, base);
    }
  }

  /**
   * The files of a database.
   *
   * @param database the database
   * @return the database itself and what may stand beside it
   */
  public static List<Path> of(Path database) {
    return SUFFIXES.stream().map(suffix -> beside(database, suffix)).toList();
  }

  /**
   * The file with the writes that are not merged into the database yet.
   *
   * @param database the database
   * @return the file, which may not be there
   */
  public static Path notMerged(Path database) {
    return beside(database, NOT_MERGED);
  }

  private static Path beside(Path database, String suffix) {
    return database.resolveSibling(database.getFileName() + suffix);
  }

  /**
   * Whether all writes are merged into the database.
   *
   * @param database the database
   * @return false if a file beside it holds writes to merge or to roll back
   * @throws IOException if that cannot be found out
   */
  public static boolean isMerged(Path database) throws IOException {
    try {
      return Files.notExists(beside(database, ROLLBACK)) && Files.size(notMerged(database)) == 0;
    } catch (NoSuchFileException e) {
      return true;
    }
  }

  /**
   * Copies a database that nobody writes, with what is not merged into it.
   *
   * @param database the database
   * @param copy where to, in a folder without it
   * @throws IOException if it cannot be copied
   */
  public static void copy(Path database, Path copy) throws IOException {
    for (String suffix : List.of(NOT_MERGED, ROLLBACK, "")) {
      if (Files.exists(beside(database, suffix))) {
        Files.copy(beside(database, suffix), beside(copy, suffix));
      }
    }
  }

  /**
   * Opens a database for writing, for this connection alone. SQLite then keeps the index of its
   * unmerged writes in memory, so the database can be opened and read even on a full disk.
   *
   * @param database the database, which is there
   * @return the connection; others wait for its end
   * @throws SQLException if it cannot be opened; if others have it open, the first statement fails
   */
  public static Connection openAlone(Path database) throws SQLException {
    SQLiteConfig config = new SQLiteConfig();
    config.resetOpenMode(SQLiteOpenMode.CREATE);
    config.setLockingMode(SQLiteConfig.LockingMode.EXCLUSIVE);
    config.setBusyTimeout(BUSY_MILLIS);
    return config.createConnection("jdbc:sqlite:" + database);
  }

  /**
   * Opens a database that is not written any more, for reading. Makes no files beside it.
   *
   * @param database the database, {@linkplain #isMerged merged}
   * @return the connection
   * @throws SQLException if it cannot be opened
   */
  public static Connection openUnchanging(Path database) throws SQLException {
    SQLiteConfig config = new SQLiteConfig();
    config.setReadOnly(true);
    return config.createConnection("jdbc:sqlite:" + database.toUri() + "?immutable=1");
  }

  /**
   * Whether the disk has no room that this process may use.
   *
   * @param failure what SQLite said
   * @return true if it may work when there is room
   */
  public static boolean isFull(SQLException failure) {
    return failure instanceof SQLiteException known && FULL.contains(known.getResultCode());
  }

  /**
   * Whether the file is damaged.
   *
   * @param failure what SQLite said
   * @return true if the file is no sound database
   */
  public static boolean isDamage(SQLException failure) {
    return failure instanceof SQLiteException known
        && (known.getResultCode() == SQLiteErrorCode.SQLITE_NOTADB
            || known.getResultCode().name().startsWith(SQLiteErrorCode.SQLITE_CORRUPT.name()));
  }

  /**
   * Whether another connection has the database alone.
   *
   * @param failure what SQLite said
   * @return true if it may work later
   */
  public static boolean isBusy(SQLException failure) {
    return failure instanceof SQLiteException known
        && known.getResultCode().name().startsWith(SQLiteErrorCode.SQLITE_BUSY.name());
  }

  /**
   * Renames a database, so that it is not used but not lost either. It can still be opened, under
   * its new name.
   *
   * @param database the database, not open
   * @return where it is now: {@code *.damaged}, with a number behind it if there is one already
   * @throws IOException if it cannot be renamed
   */
  public static Path setAside(Path database) throws IOException {
    String name = database.getFileName() + ".damaged";
    Path aside = database.resolveSibling(name);
    for (int i = 2; of(aside).stream().anyMatch(Files::exists); i++) {
      aside = database.resolveSibling(name + "-" + i);
    }
    // The database last: were it made anew after a kill in between, SQLite would delete its -wal.
    for (int i = SUFFIXES.size() - 1; i >= 0; i--) {
      Path part = of(database).get(i);
      if (Files.exists(part)) {
        Files.move(part, of(aside).get(i));
      }
    }
    return aside;
  }
}
