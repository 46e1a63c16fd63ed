package io.shardbus.delivery;

import io.shardbus.sink.DeadLetter;
import io.shardbus.sink.DeadLetters.Kept;
import java.io.IOException;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;

/**
 * Where dead letters are kept. Used by one thread. An operation that fails changes nothing; each
 * may fail with what its store says.
 */
interface LetterTable {

  /** Pages end when they have as many bytes: 8 MiB. */
  long MAX_PAGE_BYTES = 8 << 20;

  /** Adds the letters that are not there already. */
  void add(List<DeadLetter> letters) throws SQLException, IOException;

  List<Kept> list(long after, int limit) throws SQLException, IOException;

  long count() throws SQLException, IOException;

  /** The id of the newest; 0 if there is none. */
  long lastId() throws SQLException, IOException;

  int remove(Collection<Long> ids) throws SQLException, IOException;

  int removeAll() throws SQLException, IOException;

  void close() throws SQLException;

  /** How many there were after the last operation. */
  long kept();

  /** For messages. */
  String place();
}
