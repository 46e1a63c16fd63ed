package io.shardbus.sink.log;

import io.shardbus.event.Batch;
import io.shardbus.files.PrivateFiles;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.Storage;
import io.shardbus.sink.support.AppendListeners;
import io.shardbus.sink.support.OwnThread;
import io.shardbus.sink.support.PositionCursor;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The embedded log: a durable sink in SQLite files that can be read back; see the package. All
 * events of a shard go to the same writer. Safe for any thread; nothing blocks an event loop.
 */
final class LogSink implements ReplayableSink {

  static final String NAME = "log";
  private static final Logger LOG = LoggerFactory.getLogger(LogSink.class);
  private static final long LOOK_MILLIS = 5_000;
  private static final int PAGES_AT_ONCE = 8;

  private final LogSinkOptions options;
  private final AppendListeners listeners = new AppendListeners();
  private final AtomicBoolean looking = new AtomicBoolean();
  private final LogUsage usage = new LogUsage();
  private volatile @Nullable State state;
  private volatile Future<Void> closed = Future.succeededFuture();
  private volatile @Nullable Storage storage;

  /**
   * @param thread opens, looks at the files and closes
   * @param readers read pages
   */
  private record State(
      Vertx vertx,
      LogFiles files,
      List<LogWriter> writers,
      OwnThread thread,
      OwnThread readers,
      long timer) {}

  /**
   * @param options how to keep events; copied
   * @throws IllegalArgumentException naming an option that contradicts another
   */
  LogSink(LogSinkOptions options) {
    this.options = new LogSinkOptions(options);
    this.options.validate();
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Future<Void> open(SinkContext context) {
    String named = options.getDir();
    Path base = context.dataDir();
    Path dir = named != null ? Path.of(named) : base != null ? base.resolve("log") : null;
    if (dir == null) {
      return Future.failedFuture(
          new IllegalArgumentException(
              "sink log: needs a folder: set dir in its config, or dataDir of the bus"));
    }
    OwnThread thread = new OwnThread("shardbus-log", "the log is");
    return thread
        .<Void>call(
            () -> {
              openFiles(context.vertx(), dir, thread);
              if (named != null) { // a folder in the data folder is covered with that
                PrivateFiles.warnIfOpenToOthers(dir, "sink log");
              }
              return null;
            })
        .onFailure(unusable -> thread.end(() -> null));
  }

  private void openFiles(Vertx vertx, Path dir, OwnThread thread) throws IOException {
    LogFiles files = LogFiles.open(dir);
    List<LogWriter> writers = new ArrayList<>();
    State opened = null;
    try {
      for (int i = 0; i < options.getWriters(); i++) {
        LogFiles.Start start = files.start(i);
        LogWriter writer =
            new LogWriter(
                start.segment(), start.last(), options, listeners::appended, this::enforceLimits);
        writer.start();
        writers.add(writer);
      }
      files.mendFrom(options.getWriters());
      long timer = vertx.setPeriodic(LOOK_MILLIS, id -> lookAgain(thread));
      OwnThread readers = new OwnThread("shardbus-log-reader", "the log is", PAGES_AT_ONCE);
      opened = new State(vertx, files, writers, thread, readers, timer);
      state = opened;
      look();
    } catch (SQLException e) {
      throw new IOException("sink log: cannot write to " + dir + ": " + e.getMessage(), e);
    } finally {
      if (opened == null) {
        writers.forEach(LogWriter::close);
        files.close();
      }
    }
  }

  /** One at a time: if the disk hangs, each would hold a thread. */
  private void lookAgain(OwnThread thread) {
    if (looking.compareAndSet(false, true)) {
      thread.call(Executors.callable(this::look)).onComplete(done -> looking.set(false));
    }
  }

  private void look() {
    enforceLimits();
    State open = state;
    if (open != null) {
      try {
        storage = usage.look(open.files());
      } catch (IOException | UncheckedIOException | SQLException e) {
        LOG.warn("cannot tell the size of the log: " + e);
      }
    }
  }

  private synchronized void enforceLimits() {
    State open = state;
    if (open == null || (options.getRetention().isZero() && options.getMaxBytes() == 0)) {
      return;
    }
    Set<Segment> written =
        open.writers().stream().map(LogWriter::segment).collect(Collectors.toSet());
    try {
      open.files().enforceLimits(options, written);
    } catch (IOException | UncheckedIOException e) {
      LOG.warn("cannot delete old log files: " + e.toString());
    }
  }

  @Override
  public Future<Void> write(Batch batch) {
    State open = state;
    return open == null
        ? Future.failedFuture(SinkException.transientFailure("the log is not open"))
        : open.writers().get(batch.shard() % open.writers().size()).write(batch);
  }

  @Override
  public Future<EventPage> read(EventQuery query) {
    State open = state;
    if (open == null) {
      return Future.failedFuture(new IllegalStateException("the log is not open"));
    }
    PositionCursor cursor;
    try {
      cursor = PositionCursor.parse(query.cursor(), NAME).in(open.files().id());
    } catch (IllegalArgumentException e) {
      return Future.failedFuture(e);
    }
    return open.readers()
        .call(() -> LogReader.read(open.files(), cursor, query, file -> unsound(open, file)));
  }

  /** The files of writers of an earlier configuration are not written. */
  private static void unsound(State open, Segment file) {
    if (file.writer() < open.writers().size()) {
      open.writers().get(file.writer()).foundDamaged(file);
    }
  }

  @Override
  public Future<String> endCursor() {
    State open = state;
    if (open == null) {
      return Future.failedFuture(new IllegalStateException("the log is not open"));
    }
    TreeMap<String, Long> positions =
        new TreeMap<>(PositionCursor.BEGINNING.in(open.files().id()).positions());
    for (int i = 0; i < open.writers().size(); i++) {
      positions.put(Integer.toString(i), open.writers().get(i).lastPosition());
    }
    return open.readers()
        .call(
            () -> {
              // Writers of an earlier configuration.
              for (Segment segment : open.files().segments()) {
                if (segment.writer() >= open.writers().size()) {
                  positions.merge(
                      Integer.toString(segment.writer()), segment.lastAtMost(), Math::max);
                }
              }
              return new PositionCursor(positions).format(NAME);
            });
  }

  @Override
  public @Nullable Storage storage() {
    return storage;
  }

  @Override
  public long damaged() {
    State open = state;
    return open == null ? 0 : open.files().damage().count();
  }

  @Override
  public boolean recallsIds() {
    return true;
  }

  @Override
  public Runnable onAppend(Runnable listener) {
    return listeners.add(listener);
  }

  @Override
  public Future<Void> close() {
    State open = state;
    if (open == null) {
      return closed;
    }
    state = null;
    open.vertx().cancelTimer(open.timer());
    closed =
        Future.join(open.writers().stream().map(LogWriter::close).toList())
            .transform(
                done -> {
                  open.readers().end(() -> null);
                  return open.thread()
                      .end(
                          () -> {
                            open.files().close();
                            return null;
                          });
                });
    return closed;
  }
}
