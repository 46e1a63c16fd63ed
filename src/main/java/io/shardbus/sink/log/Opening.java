package io.shardbus.sink.log;

import io.shardbus.files.SqliteFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;

/**
 * Opens files of the log for reading. Connections share an index in a file beside the database, and
 * a full disk has no room for that file. On a full disk each reader opens a file for itself alone,
 * one after the other. A writer that tries again in that moment fails once more.
 */
final class Opening {

  private static final Object ALONE = new Object();

  private Opening() {}

  /** Opens a file. */
  interface Way {
    Connection open(Path file) throws IOException, SQLException;
  }

  /** Closes all that it opens. Is repeated from its beginning. */
  interface Reading<T> {
    T by(Way way) throws IOException, SQLException;
  }

  /** Reads with the shared index, or alone if the disk has no room for it. */
  static <T> T evenIfFull(Way shared, Reading<T> reading) throws IOException, SQLException {
    try {
      return reading.by(shared);
    } catch (SQLException e) {
      if (!SqliteFiles.isFull(e)
          && !SqliteFiles.isBusy(e)) { // busy: another connection has it alone
        throw e;
      }
    }
    synchronized (ALONE) {
      return reading.by(SqliteFiles::openAlone);
    }
  }
}
