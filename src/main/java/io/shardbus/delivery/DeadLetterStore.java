package io.shardbus.delivery;

import io.shardbus.files.SqliteFiles;
import io.shardbus.options.OptionalLibrary;
import io.shardbus.sink.DeadLetter;
import io.shardbus.sink.DeadLetterSink;
import io.shardbus.sink.DeadLetters;
import io.shardbus.sink.support.OwnThread;
import io.vertx.core.Future;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

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

  private final LetterTable table;
  private final OwnThread thread = new OwnThread("shardbus-dead-letters", "the dead letters are");
  private final AtomicBoolean closed = new AtomicBoolean();

  /** Changed by the thread only. */
  private final AtomicLong kept = new AtomicLong();

  private DeadLetterStore(LetterTable table) {
    this.table = table;
  }

  private interface Work<T> {
    T run() throws SQLException, IOException;
  }

  /**
   * Checks that the library for the file is on the class path.
   *
   * @throws IllegalArgumentException if it is not, with its coordinates
   */
  public static void requireLibrary() {
    try {
      OptionalLibrary.require(SqliteFiles.DRIVER, SqliteFiles.LIBRARY);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("dataDir: " + e.getMessage(), e);
    }
  }

  /**
   * Opens the file, and makes it if it is not there. A damaged one is set aside.
   *
   * @param folder the data folder; null to keep dead letters in memory
   * @return the dead letters; fails with a message for the operator
   */
  public static Future<DeadLetterStore> open(@Nullable Path folder) {
    DeadLetterStore letters =
        new DeadLetterStore(
            folder == null ? new LetterMemory() : new LetterFile(folder.resolve(FILE)));
    return letters
        .count()
        .map(letters)
        .onFailure(unusable -> letters.close()); // no caller has them, to close them
  }

  @Override
  public Future<Void> add(List<DeadLetter> some) {
    return onThread(
            () -> {
              table.add(some);
              return table.kept();
            })
        .mapEmpty();
  }

  @Override
  public Future<List<Kept>> list(long after, int limit) {
    return onThread(() -> table.list(after, limit));
  }

  @Override
  public Future<Long> count() {
    return onThread(table::count);
  }

  @Override
  public long kept() {
    return kept.get();
  }

  /** {@return the id of the newest; 0 if there is none} */
  public Future<Long> lastId() {
    return onThread(table::lastId);
  }

  @Override
  public Future<Integer> remove(Collection<Long> ids) {
    return onThread(() -> table.remove(ids));
  }

  @Override
  public Future<Integer> removeAll() {
    return onThread(table::removeAll);
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
          table.close();
          return null;
        });
  }

  private <T> Future<T> onThread(Work<T> work) {
    return thread.call(
        () -> {
          try {
            T result = work.run();
            kept.set(table.kept());
            return result;
          } catch (SQLException | IOException | RuntimeException | Error e) {
            throw new IOException(
                "dead letters: cannot use " + table.place() + ": " + e.getMessage(), e);
          }
        });
  }
}
