package io.shardbus.sink;

import io.vertx.core.Future;
import org.jspecify.annotations.Nullable;

/**
 * A sink from which events can be read back. Safe for any thread. Answers come on the context of
 * the caller if there is one, else on any thread.
 */
public interface ReplayableSink extends Sink {

  /**
   * Reads one page of events. If the store was created again since the cursor was given, and the
   * sink can tell, the page begins at the oldest event. An example is the memory sink after a
   * restart.
   *
   * @param query where to begin, and how much
   * @return the page; fails with an {@link IllegalArgumentException} if the cursor is malformed or
   *     of another sink
   */
  Future<EventPage> read(EventQuery query);

  /** {@return the opaque cursor behind the newest event, from which a live tail begins} */
  Future<String> endCursor();

  /**
   * Adds a listener for new events. It runs on any thread after a write, or once after several
   * writes, and must be quick.
   *
   * @param listener called without arguments
   * @return ends the registration; idempotent
   */
  Runnable onAppend(Runnable listener);

  /**
   * {@return what the sink stores, as it was a few seconds ago at most; null if it cannot tell;
   * does not block}
   */
  default @Nullable Storage storage() {
    return null;
  }

  /**
   * What a sink of any kind stores.
   *
   * @param sink the sink
   * @return as {@link #storage}; null if the sink cannot be read back
   */
  static @Nullable Storage storageOf(Sink sink) {
    return sink instanceof ReplayableSink stored ? stored.storage() : null;
  }

  /**
   * How many damaged places were found while reading, since the sink was opened. The events there
   * cannot be read; all others can.
   *
   * @return 0 if none was, or if the sink does not look for damage
   */
  default long damaged() {
    return 0;
  }

  /**
   * Whether the bus recalls ids from this sink when it starts. Then it reads the events of the last
   * window and takes none of their ids again, so that ids keep their promise across a restart.
   *
   * @return true if the sink keeps ids and reading back some minutes is cheap. False if its events
   *     end with the process, if its store recognises ids by itself, or if its users must look at
   *     ids themselves
   */
  default boolean recallsIds() {
    return false;
  }
}
