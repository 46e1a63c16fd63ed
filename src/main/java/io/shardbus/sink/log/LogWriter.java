package io.shardbus.sink.log;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.files.SqliteFiles;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/*
 * Writes the events of some shards to one file at a time, on a thread of its own. Batches that wait are written
 * together in one transaction, so they share a sync. Each shard has one write in flight, besides the writes that it
 * gave up.
 *
 * A batch may come again after its write was given up, and both may even be in one transaction. So the writer remembers
 * the last sequence of each shard, and passes over events that it has written. A restart needs no such memory, because
 * every start has an epoch of its own. A failed commit may be in the file all the same, for example if only its sync
 * failed. So the events found behind the last known position count as written.
 *
 * If the writer, or a reader, learns from SQLite that the file is damaged, the writer goes on in a new file.
 *
 * Ownership: the connection, the file and the remembered sequences belong to the thread. Any thread may queue a batch.
 *
 * Ordering: `write` and `close` hold the monitor while they queue, so no batch is behind the last job. Readers see
 * `segment` and `lastPosition` through volatiles.
 *
 * Why it is safe: every queued batch is answered, because the thread goes on whatever fails, and answers the rest of the
 * queue when it ends.
 */
final class LogWriter {

  private static final Logger LOG = LoggerFactory.getLogger(LogWriter.class);
  private static final Long NOTHING = -1L;
  private static final long LOOK_SECONDS = 60;
  private static final int MAX_EVENTS_A_TRANSACTION = 50_000;
  private static final String BEHIND =
      "SELECT last, block, %s FROM blocks WHERE last > ? ORDER BY last";

  private final LogSinkOptions options;
  private final Runnable onCommit;
  private final Runnable onRoll;
  private final BlockingQueue<Job> queue = new LinkedBlockingQueue<>();
  private final Thread thread;
  private final Promise<Void> ended = Promise.promise();

  private volatile long lastPosition;
  private volatile Segment segment;
  private volatile @Nullable Segment foundDamaged;
  private boolean closed;

  // The thread's own.
  private @Nullable Connection connection;
  private @Nullable PreparedStatement insert;
  private @Nullable FileIndex index;
  private int number;
  private final Map<Integer, Long> written = new HashMap<>();

  /** Time of the first event of the file; has no meaning while the file is empty. */
  private long begunMillis;

  /** A batch to write. Without a batch it makes the thread look for other work, or end. */
  private record Job(@Nullable Batch batch, boolean last, Promise<Void> promise) {

    static Job withoutBatch(boolean last) {
      return new Job(null, last, Promise.promise());
    }
  }

  LogWriter(
      Segment segment,
      long lastPosition,
      LogSinkOptions options,
      Runnable onCommit,
      Runnable onRoll) {
    this.segment = segment;
    this.lastPosition = lastPosition;
    this.options = options;
    this.onCommit = onCommit;
    this.onRoll = onRoll;
    thread = new Thread(this::run, "shardbus-log-" + segment.writer());
    thread.setDaemon(true);
  }

  /**
   * Opens the file at once, so that a start fails if the folder cannot be written. Blocks. On a
   * full disk the thread opens it as soon as there is room; until then the existing events can be
   * read.
   */
  void start() throws IOException, SQLException {
    try {
      open();
    } catch (SQLException e) {
      if (!SqliteFiles.isFull(e)) {
        throw e;
      }
      LOG.warn("no room on the disk for " + segment.path() + ": events wait until there is");
    }
    thread.start();
  }

  long lastPosition() {
    return lastPosition;
  }

  Segment segment() {
    return segment;
  }

  synchronized Future<Void> write(Batch batch) {
    Promise<Void> promise = Promise.promise();
    if (closed) {
      return Future.failedFuture(SinkException.transientFailure("the log is closed"));
    }
    queue.add(new Job(batch, false, promise));
    return promise.future();
  }

  /** A reader found a damaged file. If it is the current file, a new one takes its place. */
  void foundDamaged(Segment file) {
    foundDamaged = file;
    queue.add(Job.withoutBatch(false));
  }

  /** Nothing is queued behind the last job. */
  synchronized Future<Void> close() {
    closed = true;
    queue.add(Job.withoutBatch(true));
    return ended.future();
  }

  private void run() {
    try {
      List<Job> jobs = new ArrayList<>();
      boolean going;
      do {
        rollIfDue();
        jobs.clear();
        going = collect(jobs);
        if (!jobs.isEmpty()) {
          writeTogether(jobs);
        }
      } while (going);
    } finally {
      disconnect();
      answer(queue, SinkException.transientFailure("the log is closed"));
      ended.complete();
    }
  }

  /**
   * Waits for work, but not for ever, because a file also grows old. Returns false if the thread
   * must end afterwards.
   */
  private boolean collect(List<Job> jobs) {
    int events = 0;
    try {
      for (Job job = queue.poll(LOOK_SECONDS, TimeUnit.SECONDS); job != null; job = queue.poll()) {
        Batch batch = job.batch();
        if (batch == null) {
          return !job.last();
        }
        jobs.add(job);
        events += batch.size();
        if (events >= MAX_EVENTS_A_TRANSACTION) {
          break;
        }
      }
      return true;
    } catch (InterruptedException e) {
      return false;
    }
  }

  private void writeTogether(List<Job> jobs) {
    try {
      commitEvenIfDamaged(jobs);
    } catch (IOException | SQLException | RuntimeException | Error e) {
      disconnect(); // the next attempt finds out whether this one was written
      answer(
          jobs,
          SinkException.transientFailure(
              "cannot write " + segment.path() + ": " + e.getMessage(), e));
      return;
    }
    answer(jobs, null);
    onCommit.run();
  }

  private static void answer(Iterable<Job> jobs, @Nullable SinkException failure) {
    for (Job job : jobs) {
      try {
        if (failure == null) {
          job.promise().complete();
        } else {
          job.promise().fail(failure);
        }
      } catch (RuntimeException | Error e) {
        LOG.error("a listener to a write failed", e);
      }
    }
  }

  private void commitEvenIfDamaged(List<Job> jobs) throws IOException, SQLException {
    try {
      commit(jobs);
    } catch (SQLException e) {
      if (!SqliteFiles.isDamage(e)) {
        throw e;
      }
      moveOn();
      commit(jobs);
    }
  }

  /** The damaged file stays as it is. */
  private void moveOn() throws IOException {
    disconnect();
    LogFiles.Start next = LogFiles.behind(segment, lastPosition);
    lastPosition = next.last();
    segment = next.segment();
  }

  private void commit(List<Job> jobs) throws IOException, SQLException {
    PreparedStatement statement = open();
    FileIndex open = Objects.requireNonNull(index);
    long position = lastPosition;
    Map<Integer, Long> newest = new HashMap<>();
    for (Job job : jobs) {
      Batch batch = job.batch();
      if (batch != null) {
        position = insert(statement, open, batch, position, newest);
      }
    }
    open.mark();
    statement.getConnection().commit();
    if (lastPosition < segment.first()) {
      begunMillis = System.currentTimeMillis();
    }
    lastPosition = position;
    written.putAll(newest);
  }

  /** A batch is a block, or several. Events that were written before are passed over. */
  private long insert(
      PreparedStatement statement,
      FileIndex open,
      Batch batch,
      long before,
      Map<Integer, Long> newest)
      throws SQLException {
    List<ShardEvent> events = batch.events();
    long done = newest.getOrDefault(batch.shard(), written.getOrDefault(batch.shard(), NOTHING));
    int from = 0;
    while (from < events.size() && events.get(from).sequence() <= done) {
      from++;
    }
    long position = before;
    while (from < events.size()) {
      int to = endOfBlock(events, from);
      List<ShardEvent> some = events.subList(from, to);
      position += some.size();
      insert(statement, open, position, batch.producer(), some);
      from = to;
      newest.put(batch.shard(), events.get(to - 1).sequence());
    }
    return position;
  }

  private static int endOfBlock(List<ShardEvent> events, int from) {
    int to = from;
    long bytes = 0;
    do {
      bytes += events.get(to).size();
      to++;
    } while (to < events.size()
        && to - from < BlockCodec.MAX_EVENTS
        && bytes < BlockCodec.MAX_BYTES);
    return to;
  }

  private void insert(
      PreparedStatement statement,
      FileIndex open,
      long last,
      ProducerId producer,
      List<ShardEvent> events)
      throws SQLException {
    long least = Long.MAX_VALUE;
    long greatest = Long.MIN_VALUE;
    boolean ids = false;
    for (ShardEvent event : events) {
      least = Math.min(least, event.timestamp());
      greatest = Math.max(greatest, event.timestamp());
      ids |= event.id() != null;
    }
    byte[] block = BlockCodec.encode(number, last - events.size() + 1, producer, events);
    statement.setLong(1, last);
    statement.setInt(2, events.size());
    statement.setInt(3, events.get(0).shard());
    statement.setLong(4, greatest);
    statement.setLong(5, greatest - least);
    statement.setInt(6, ids ? 1 : 0);
    statement.setBytes(7, block);
    statement.executeUpdate();
    open.passed(last, greatest);
  }

  private PreparedStatement open() throws IOException, SQLException {
    PreparedStatement ready = insert;
    if (ready != null && !segment.isGone()) {
      return ready;
    }
    disconnect(); // from a file that somebody has deleted
    number = segment.number();
    Connection fresh = segment.openForWriting(options.getSynchronous());
    try {
      recall(fresh);
      begunMillis = segment.begunMillis(fresh);
      index = new FileIndex(fresh, number);
      fresh.commit();
      insert = fresh.prepareStatement(Tables.addBlock(number));
      connection = fresh;
      return insert;
    } catch (SQLException e) {
      fresh.close();
      throw e;
    }
  }

  /** Finds out what a failed commit has written. */
  private void recall(Connection fresh) throws SQLException {
    boolean sound = true;
    try (PreparedStatement select =
        fresh.prepareStatement(BEHIND.formatted(Tables.soundBlock(number)))) {
      select.setLong(1, lastPosition);
      try (ResultSet row = select.executeQuery()) {
        while (row.next()) {
          BlockCodec.Block block = BlockCodec.decode(number, row.getBytes(2));
          if (block != null) {
            ShardEvent newest = block.events().get(block.events().size() - 1);
            written.merge(newest.shard(), newest.sequence(), Math::max);
          }
          if (row.getBoolean(3)) {
            lastPosition = Math.max(lastPosition, row.getLong(1));
          } else {
            sound = false;
          }
        }
      }
    }
    if (!sound) {
      throw new SQLiteException("a row is damaged", SQLiteErrorCode.SQLITE_CORRUPT);
    }
  }

  private void disconnect() {
    Connection old = connection;
    connection = null;
    insert = null;
    index = null;
    if (old == null) {
      return;
    }
    try {
      old.rollback();
    } catch (SQLException e) {
      LOG.debug("rolling back " + segment.path(), e);
    }
    try {
      old.close();
    } catch (SQLException e) {
      LOG.warn("closing " + segment.path() + ": " + e.getMessage());
    }
  }

  private void rollIfDue() {
    try {
      if (segment.equals(foundDamaged)) {
        moveOn();
      } else if (isLarge() || isOld()) {
        open(); // finds out what a failed commit has written: the new file begins behind it
        Segment next = segment.after(lastPosition);
        next.make(); // at once: the next start takes its positions from the newest file
        disconnect();
        segment = next;
        open();
        onRoll.run();
      }
    } catch (IOException | SQLException | RuntimeException | Error e) {
      LOG.warn("cannot begin a new file after " + segment.path() + ": " + e.toString());
    }
  }

  private boolean isLarge() throws IOException {
    return lastPosition >= segment.first() && segment.bytes() >= options.effectiveSegmentBytes();
  }

  private boolean isOld() {
    return lastPosition >= segment.first()
        && !options.getRetention().isZero()
        && Math.abs(System.currentTimeMillis() - begunMillis) > options.fileMillis();
  }
}
