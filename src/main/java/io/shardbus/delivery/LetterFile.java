package io.shardbus.delivery;

import io.shardbus.event.AttributeCodec;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.files.PrivateFiles;
import io.shardbus.files.SqliteFiles;
import io.shardbus.sink.DeadLetter;
import io.shardbus.sink.DeadLetters.Kept;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Dead letters in a SQLite file. A damaged file is set aside, and a new one takes its place. */
final class LetterFile implements LetterTable {

  private static final Logger LOG = LoggerFactory.getLogger(LetterFile.class);

  /** Raised whenever this version could not read the file of an earlier one. */
  private static final int FORMAT = 2;

  private static final String COLUMNS =
      "producer, epoch, shard, sequence, timestamp, attributes, payload, cause, attempts, time";

  private final Path file;
  private @Nullable Connection connection;
  private long kept;

  LetterFile(Path file) {
    this.file = file;
  }

  private interface Work<T> {
    T run(Connection database) throws SQLException;
  }

  @Override
  public void add(List<DeadLetter> letters) throws SQLException, IOException {
    inFile(
        database -> {
          int added = 0;
          try (PreparedStatement insert =
              database.prepareStatement(
                  "INSERT OR IGNORE INTO letters ("
                      + COLUMNS
                      + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
            for (DeadLetter letter : letters) {
              set(insert, letter);
              added += insert.executeUpdate();
            }
          }
          database.commit();
          kept += added;
          return added;
        });
  }

  private static void set(PreparedStatement insert, DeadLetter letter) throws SQLException {
    ShardEvent event = letter.event();
    insert.setString(1, letter.producer().id());
    insert.setLong(2, letter.producer().epoch());
    insert.setInt(3, event.shard());
    insert.setLong(4, event.sequence());
    insert.setLong(5, event.timestamp());
    insert.setBytes(6, AttributeCodec.bytes(event));
    insert.setBytes(7, event.payload().getBytes());
    insert.setString(8, letter.cause());
    insert.setInt(9, letter.attempts());
    insert.setLong(10, letter.time());
  }

  @Override
  public List<Kept> list(long after, int limit) throws SQLException, IOException {
    return inFile(
        database -> {
          List<Kept> page = new ArrayList<>();
          try (PreparedStatement select =
              database.prepareStatement(
                  "SELECT id, " + COLUMNS + " FROM letters WHERE id > ? ORDER BY id LIMIT ?")) {
            select.setLong(1, after);
            select.setInt(2, limit);
            try (ResultSet row = select.executeQuery()) {
              long bytes = 0;
              while (bytes < MAX_PAGE_BYTES && row.next()) {
                Kept kept = kept(row);
                page.add(kept);
                bytes += kept.letter().event().size();
              }
            }
          }
          return page;
        });
  }

  private static Kept kept(ResultSet row) throws SQLException {
    AttributeCodec.Attributes attributes = AttributeCodec.read(row.getBytes("attributes"));
    ShardEvent event =
        new ShardEvent(
            row.getInt("shard"),
            row.getLong("sequence"),
            row.getLong("timestamp"),
            Buffer.buffer(row.getBytes("payload")),
            attributes.key(),
            attributes.id(),
            attributes.headers());
    return new Kept(
        row.getLong("id"),
        new DeadLetter(
            new ProducerId(row.getString("producer"), row.getLong("epoch")),
            event,
            row.getString("cause"),
            row.getInt("attempts"),
            row.getLong("time")));
  }

  @Override
  public long count() throws SQLException, IOException {
    return inFile(
        database -> {
          kept = query(database, "SELECT count(*) FROM letters");
          return kept;
        });
  }

  @Override
  public long lastId() throws SQLException, IOException {
    return inFile(database -> query(database, "SELECT coalesce(max(id), 0) FROM letters"));
  }

  @Override
  public int remove(Collection<Long> ids) throws SQLException, IOException {
    return inFile(
        database -> {
          int removed = 0;
          try (PreparedStatement delete =
              database.prepareStatement("DELETE FROM letters WHERE id = ?")) {
            for (long id : ids) {
              delete.setLong(1, id);
              removed += delete.executeUpdate();
            }
          }
          database.commit();
          kept -= removed;
          return removed;
        });
  }

  @Override
  public int removeAll() throws SQLException, IOException {
    return inFile(
        database -> {
          int removed = update(database, "DELETE FROM letters");
          database.commit();
          kept -= removed;
          return removed;
        });
  }

  @Override
  public long kept() {
    return kept;
  }

  @Override
  public String place() {
    return file.toString();
  }

  @Override
  public void close() throws SQLException {
    Connection open = connection;
    connection = null;
    if (open != null) {
      open.close();
    }
  }

  private <T> T inFile(Work<T> work) throws SQLException, IOException {
    try {
      return evenIfDamaged(work);
    } catch (SQLException | IOException | RuntimeException | Error e) {
      startAnew();
      throw e;
    }
  }

  /** A damaged file must not make shards with dead letters wait for ever. */
  private <T> T evenIfDamaged(Work<T> work) throws SQLException, IOException {
    try {
      return work.run(connect());
    } catch (SQLException e) {
      if (!SqliteFiles.isDamage(e)) {
        throw e;
      }
      startAnew();
      LOG.error(file + " is damaged; it is now " + SqliteFiles.setAside(file));
      return work.run(connect());
    }
  }

  private Connection connect() throws SQLException, IOException {
    Connection ready = connection;
    return ready == null ? connectNow() : ready;
  }

  /** No other process can open the file. So it can be opened and read even on a full disk. */
  private Connection openFile() throws SQLException, IOException {
    PrivateFiles.make(file);
    return SqliteFiles.openAlone(file);
  }

  private Connection connectNow() throws SQLException, IOException {
    Connection fresh = openFile();
    try (Statement statement = fresh.createStatement()) {
      boolean made = isMade(fresh);
      statement.execute("PRAGMA journal_mode = WAL");
      statement.execute("PRAGMA synchronous = FULL");
      if (!made) { // the format first: a process that is killed then leaves no table without it
        statement.execute("PRAGMA user_version = " + FORMAT);
        statement.execute(
            "CREATE TABLE letters (id INTEGER PRIMARY KEY AUTOINCREMENT, "
                + "producer TEXT NOT NULL, epoch INTEGER NOT NULL, shard INTEGER NOT NULL, "
                + "sequence INTEGER NOT NULL, timestamp INTEGER NOT NULL, attributes BLOB, "
                + "payload BLOB NOT NULL, cause TEXT NOT NULL, attempts INTEGER NOT NULL, "
                + "time INTEGER NOT NULL, UNIQUE (producer, epoch, shard, sequence))");
      }
      kept = query(fresh, "SELECT count(*) FROM letters");
      fresh.setAutoCommit(false);
      connection = fresh;
      return fresh;
    } catch (SQLException | IOException e) {
      fresh.close();
      throw e;
    }
  }

  /** Whether the table is there. A file of another format is left as it is. */
  private static boolean isMade(Connection database) throws SQLException, IOException {
    boolean made = query(database, "SELECT count(*) FROM sqlite_schema WHERE name = 'letters'") > 0;
    long found = query(database, "PRAGMA user_version");
    if (made && found != FORMAT) {
      throw new IOException(
          "it has format "
              + Math.max(1, found)
              + ", and this version uses format "
              + FORMAT
              + ": move it away");
    }
    return made;
  }

  /** After a failure none of the new letters may stay. */
  private void startAnew() {
    try {
      close();
    } catch (SQLException e) {
      LOG.warn("closing " + file + ": " + e.getMessage());
    }
  }

  private static int update(Connection database, String sql) throws SQLException {
    try (Statement statement = database.createStatement()) {
      return statement.executeUpdate(sql);
    }
  }

  private static long query(Connection database, String sql) throws SQLException {
    try (Statement statement = database.createStatement();
        ResultSet result = statement.executeQuery(sql)) {
      return result.next() ? result.getLong(1) : 0;
    }
  }
}
