package io.shardbus.sink;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/** What there is to know of a SQLite database as files. */
public final class SqliteFiles {

  private static final String NOT_MERGED = "-wal";

  /** The database, what is not merged into it yet with its index, and what may be rolled back. */
  private static final List<String> SUFFIXES = List.of("", NOT_MERGED, "-shm", "-journal");

  private SqliteFiles() {}

  /**
   * The files of a database.
   *
   * @param database the database
   * @return the database itself and what may stand beside it
   */
  public static List<Path> of(Path database) {
    return SUFFIXES.stream()
        .map(suffix -> database.resolveSibling(database.getFileName() + suffix))
        .toList();
  }

  /**
   * Where what was written stands before it is merged into the database.
   *
   * @param database the database
   * @return the file, which may not be there
   */
  public static Path notMerged(Path database) {
    return database.resolveSibling(database.getFileName() + NOT_MERGED);
  }

  /**
   * Whether the file, and not the moment, is to blame.
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
