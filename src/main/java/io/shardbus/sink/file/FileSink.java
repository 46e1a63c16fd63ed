package io.shardbus.sink.file;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.files.FileFault;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.support.EventLines;
import io.shardbus.sink.support.InFlight;
import io.shardbus.sink.support.OwnThread;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes events into files of lines. One thread writes what waits, of all shards, and syncs once
 * for all of it. Safe for any thread.
 */
final class FileSink implements Sink {

  private static final long LOOK_MILLIS = 1_000;

  private final FileSinkOptions options;
  private final OwnThread thread = new OwnThread("shardbus-file", "the sink is");
  private final InFlight inFlight = new InFlight();
  private @Nullable Future<Void> closed;

  /** Guarded by this. */
  private List<Waiting> waiting = new ArrayList<>();

  /** Of the thread, from here on. */
  private @Nullable RollingFile file;

  /** By producer and shard, the sequence of the next event: what is before it is in a file. */
  private Map<String, Long> next = new HashMap<>();

  private record Waiting(Batch batch, Promise<Void> written) {}

  /** Of a batch, what cannot be written. */
  private record Unfit(Waiting of, BitSet events) {}

  /**
   * @param options where to write; copied
   */
  FileSink(FileSinkOptions options) {
    this.options = new FileSinkOptions(options);
  }

  @Override
  public String name() {
    return FileSinkOptions.SINK_NAME;
  }

  @Override
  public Future<Void> open(SinkContext context) {
    Path data = context.dataDir();
    String dir = options.getDir();
    Path folder = dir != null ? Path.of(dir) : data != null ? data.resolve("events") : null;
    if (folder == null) {
      return Future.failedFuture(
          new IllegalArgumentException(
              "sink file: dir: is required where there is no data folder"));
    }
    if (!options.getMaxAge().isZero()) {
      look(context.vertx(), options.getMaxAge().toMillis());
    }
    return thread.call(
        () -> {
          file = RollingFile.open(folder, options);
          return null;
        });
  }

  /** A file also grows old where no event comes. */
  private void look(Vertx vertx, long age) {
    vertx.setPeriodic(
        Math.max(1, Math.min(age, LOOK_MILLIS)),
        timer -> {
          if (!thread.execute(this::rollIfDue)) {
            vertx.cancelTimer(timer); // the sink is closed
          }
        });
  }

  private void rollIfDue() {
    if (file != null) {
      file.rollIfDue(Long.MAX_VALUE); // by time only
    }
  }

  @Override
  public Future<Void> write(Batch batch) {
    return inFlight.run(
        () -> {
          Promise<Void> written = Promise.promise();
          boolean first;
          synchronized (this) {
            first = waiting.isEmpty();
            waiting.add(new Waiting(batch, written));
          }
          if (first) {
            thread.execute(this::writeWaiting);
          }
          return written.future();
        });
  }

  private void writeWaiting() {
    List<Waiting> all;
    synchronized (this) {
      all = waiting;
      waiting = new ArrayList<>();
    }
    Map<String, Long> after = new HashMap<>(next);
    List<Unfit> unfit = new ArrayList<>(all.size());
    try {
      Buffer lines = Buffer.buffer();
      for (Waiting one : all) {
        unfit.add(new Unfit(one, append(lines, one.batch(), after)));
      }
      if (file == null) {
        throw new IOException("the sink is not open");
      }
      if (lines.length() > 0) {
        file.append(lines);
      }
      next = after;
    } catch (Throwable e) { // whatever it is, the callers wait for an answer
      Throwable cause =
          e instanceof IOException fault ? FileFault.of("sink file: cannot write", fault) : e;
      all.forEach(
          one ->
              one.written()
                  .fail(SinkException.transientFailure(String.valueOf(cause.getMessage()), cause)));
      return;
    }
    unfit.forEach(FileSink::tell);
  }

  private static void tell(Unfit of) {
    if (of.events().isEmpty()) {
      of.of().written().complete();
    } else {
      of.of().written().fail(SinkException.partial(of.events(), EventLines.NO_JSON));
    }
  }

  /** The indexes of the events that cannot be written. */
  private BitSet append(Buffer lines, Batch batch, Map<String, Long> after) {
    BitSet unfit = new BitSet();
    String stream = batch.producer().id() + ' ' + batch.producer().epoch() + ' ' + batch.shard();
    long from = after.getOrDefault(stream, 0L);
    for (int i = 0; i < batch.size(); i++) {
      ShardEvent event = batch.events().get(i);
      // An earlier attempt has written those before, or refused them.
      Buffer out = event.sequence() < from ? Buffer.buffer() : lines;
      if (EventLines.append(out, batch, event, options.isEnvelope())) {
        after.merge(stream, event.sequence() + 1, Math::max);
      } else {
        unfit.set(i);
      }
    }
    return unfit;
  }

  @Override
  public synchronized Future<Void> close() {
    if (closed == null) {
      closed =
          inFlight
              .close()
              .compose(
                  idle ->
                      thread.end(
                          () -> {
                            if (file != null) {
                              file.close();
                              file = null;
                            }
                            return null;
                          }));
    }
    return closed;
  }
}
