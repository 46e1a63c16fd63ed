package io.shardbus.sink;

import io.vertx.core.Future;

/**
 * A sink from which events can be read back. Safe for any thread. Answers come on the context of
 * the caller, if the caller is on one, else on any thread.
 */
public interface ReplayableSink extends Sink {

  /**
   * Reads one page of events. Where the store was made anew since the cursor was given, such as the
   * memory sink by a restart, and the sink can tell, the page begins at the oldest event.
   *
   * @param query where to begin, and how much
   * @return the page; fails with an {@link IllegalArgumentException} if the cursor is malformed or
   *     of another sink
   */
  Future<EventPage> read(EventQuery query);

  /**
   * The cursor behind the newest event, from which a live tail begins.
   *
   * @return an opaque cursor
   */
  Future<String> endCursor();

  /**
   * Asks to be told when events were added. The listener runs on any thread after a write, perhaps
   * once for several, and must be quick.
   *
   * @param listener called without arguments
   * @return ends the registration; idempotent
   */
  Runnable onAppend(Runnable listener);
}
