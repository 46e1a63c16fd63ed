package io.shardbus.delivery;

import io.shardbus.event.AttributeCodec;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.files.PrivateFiles;
import io.shardbus.files.SqliteFiles;
import io.shardbus.sink.DeadLetter;
import io.shardbus.sink.DeadLetterSink;
import io.shardbus.sink.DeadLetters;
import io.shardbus.sink.support.OwnThread;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
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
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteConfig;

/**
 * The dead letters of a bus. With a data folder they are in a SQLite file, and synced to the disk
 * before they count as kept. Otherwise they are in memory: the newest {@value #MAX_IN_MEMORY}, and
 * at most {@value #MAX_BYTES_IN_MEMORY} bytes. Safe for any thread. A thread of its own does the
 * work, and answers come on the context of the caller if there is one.
 */
public final class DeadLetterStore implements DeadLetters, DeadLetterSink {

  /** The name of the file in the data folder. */
  public static final String FILE = "dead-letters.db";

  /** How many are kept without a data folder. */
  public static final int MAX_IN_MEMORY = 10_000;

  /** How many bytes of events are kept without a data folder: 64 MiB. The newest is always kept. */
  public static final long MAX_BYTES_IN_MEMORY = 64 << 20;

  private static final Logger LOG = LoggerFactory.getLogger(DeadLetterStore.class);
  private static final long MAX_PAGE_BYTES = 8 << 20;

  private static final String BYTES = "length(payload) + coalesce(length(attributes), 0)";

  /** Raised whenever this version could not read the file of an earlier one. */
  private static final int FORMAT = 2;

  private static final String COLUMNS =
      "producer, epoch, shard, sequence, timestamp, attributes, payload, cause, attempts, time";

  private final @Nullable Path file;
  private final OwnThread thread = new OwnThread("shardbus-dead-letters", "the dead letters are");
  private final AtomicBoolean closed = new AtomicBoolean();

  /** The thread's own. */
  private @Nullable Connection connection;

  /** Changed by the thread only. */
  private final AtomicLong kept = new AtomicLong();

  private DeadLetterStore(@Nullable Path file) {
    this.file = file;
  }

  private interface Work<T> {
    T run(Connection database) throws SQLException;
  }

  /**
   * Opens the file, and makes it if it is not there. A damaged one is set aside.
   *
   * @param folder the data folder; null to keep dead letters in memory
   * @return the dead letters; fails with a message for the operator
   */
  public static Future<DeadLetterStore> open(@Nullable Path folder) {
    DeadLetterStore letters = new DeadLetterStore(folder == null ? null : folder.resolve(FILE));
    return letters
        .onThread(database -> letters)
        .onFailure(unusable -> letters.close()); // no caller has them, to close them
  }

  @Override
  public Future<Void> add(List<DeadLetter> letters) {
    Future<Long> done =
        onThread(
            database -> {
              long all = kept.get();
              try (PreparedStatement insert =
                  database.prepareStatement(
                      "INSERT OR IGNORE INTO letters ("
                          + COLUMNS
                          + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
                for (DeadLetter letter : letters) {
                  set(insert, letter);
                  all += insert.executeUpdate();
                }
              }
              if (file == null) {
                all -= makeRoom(database);
              }
              database.commit();
              kept.set(all);
              return all;
            });
    return done.mapEmpty();
  }

  /** How many were removed to make room. */
  private static int makeRoom(Connection database) throws SQLException {
    int removed = 0;
    long bytes = query(database, "SELECT coalesce(sum(" + BYTES + "), 0) FROM letters");
    long newest = query(database, "SELECT coalesce(max(id), 0) FROM letters");
    try (Statement select = database.createStatement()) {
      while (true) {
        long id;
        try (ResultSet oldest =
            select.executeQuery("SELECT id, " + BYTES + " FROM letters ORDER BY id LIMIT 1")) {
          if (!oldest.next()) {
            return removed;
          }
          id = oldest.getLong(1);
          boolean fits = bytes <= MAX_BYTES_IN_MEMORY && id > newest - MAX_IN_MEMORY;
          if (fits || id == newest) {
            return removed;
          }
          bytes -= oldest.getLong(2);
        }
        removed += update(database, "DELETE FROM letters WHERE id = " + id);
      }
    }
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
  public Future<List<Kept>> list(long after, int limit) {
    return onThread(
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
  public Future<Long> count() {
    return onThread(
        database -> {
          long all = query(database, "SELECT count(*) FROM letters");
          kept.set(all);
          return all;
        });
  }

  @Override
  public long kept() {
    return kept.get();
  }

  /** {@return the id of the newest; 0 if there is none} */
  public Future<Long> lastId() {
    return onThread(database -> query(database, "SELECT coalesce(max(id), 0) FROM letters"));
  }

  @Override
  public Future<Integer> remove(Collection<Long> ids) {
    return onThread(
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
          kept.addAndGet(-removed);
          return removed;
        });
  }

  @Override
  public Future<Integer> removeAll() {
    return onThread(
        database -> {
          int removed = update(database, "DELETE FROM letters");
          database.commit();
          kept.set(0);
          return removed;
        });
  }

  /**
   * Closes the file. Idempotent.
   *
   * @return completes when what is under way is done
   */
  public Future<Void> close() {
    if (closed.getAndSet(true)) {
      return Future.succeededFuture();
    }
    return thread.end(
        () -> {
          Connection open = connection;
          connection = null;
          if (open != null) {
            open.close();
          }
          return null;
        });
  }

  // ---------------------------------------------------------------- on the thread

  private <T> Future<T> onThread(Work<T> work) {
    return thread.call(
        () -> {
          try {
            return evenIfDamaged(work);
          } catch (SQLException | IOException | RuntimeException | Error e) {
            startAnew();
            throw new IOException(
                "dead letters: cannot use "
                    + (file == null ? "memory" : file)
                    + ": "
                    + e.getMessage(),
                e);
          }
        });
  }

  /** A damaged file must not make shards with dead letters wait for ever. */
  private <T> T evenIfDamaged(Work<T> work) throws SQLException, IOException {
    try {
      return work.run(connect());
    } catch (SQLException e) {
      if (file == null || !SqliteFiles.isDamage(e)) {
        throw e;
      }
      startAnew();
      LOG.error("{} is damaged; it is now {}", file, SqliteFiles.setAside(file));
      return work.run(connect());
    }
  }

  private Connection connect() throws SQLException, IOException {
    Connection ready = connection;
    return ready == null ? connectNow() : ready;
  }

  /** No other process can open the file. So it can be opened and read even on a full disk. */
  private Connection newConnection() throws SQLException, IOException {
    if (file == null) {
      return new SQLiteConfig().createConnection("jdbc:sqlite::memory:");
    }
    PrivateFiles.make(file);
    return SqliteFiles.openAlone(file);
  }

  private Connection connectNow() throws SQLException, IOException {
    Connection fresh = newConnection();
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
      kept.set(query(fresh, "SELECT count(*) FROM letters"));
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

  /** After a failure none of the new letters may stay, and in memory all earlier ones must stay. */
  private void startAnew() {
    Connection old = connection;
    if (old == null) {
      return;
    }
    try {
      if (file == null) {
        old.rollback();
      } else {
        connection = null;
        old.close();
      }
    } catch (SQLException e) {
      LOG.warn("closing {}: {}", file, e.getMessage());
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
