package io.shardbus.sink.log;

import io.shardbus.sink.SqliteFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;

/**
 * How files of the log are opened to be read. Connections share an index in a file beside the
 * database, and a full disk has no room for that. There, those who read open the files alone, one
 * after the other; a writer that tries again meanwhile fails once more.
 */
final class Opening {

  private static final Object ALONE = new Object();

  private Opening() {}

  /** Opens a file. */
  interface Way {
    Connection open(Path file) throws SQLException;
  }

  /** Closes all that it opens. Is repeated from its beginning. */
  interface Reading<T> {
    T by(Way way) throws IOException, SQLException;
  }

  /** Reads the one way, and where that does not work for want of room, alone. */
  static <T> T evenIfFull(Way shared, Reading<T> reading) throws IOException, SQLException {
    try {
      return reading.by(shared);
    } catch (SQLException e) {
      if (!SqliteFiles.isFull(e) && !SqliteFiles.isBusy(e)) { // busy: somebody has it alone
        throw e;
      }
    }
    synchronized (ALONE) {
      return reading.by(SqliteFiles::openAlone);
    }
  }
}
