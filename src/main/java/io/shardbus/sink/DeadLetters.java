package io.shardbus.sink;

import io.vertx.core.Future;
import java.util.Collection;
import java.util.List;

/**
 * The events that the sink of a bus refused for good: in a file of the data folder, or, without a
 * data folder, the newest in memory. Safe for any thread. Answers come on the context of the caller
 * if there is one.
 */
public interface DeadLetters {

  /**
   * A dead letter as it is kept.
   *
   * @param id by which it is named; rises
   * @param letter the event
   */
  record Kept(long id, DeadLetter letter) {}

  /**
   * The result of a replay.
   *
   * @param delivered events that the sink confirmed
   * @param deadLettered events that it refused again
   * @param kept letters that stay, because the rings had no room for their events
   */
  record ReplayResult(int delivered, int deadLettered, int kept) {}

  /**
   * Reads a page.
   *
   * @param after only letters with higher ids; 0 for all
   * @param limit how many at most, at least 1; a page also ends early when it grows large in bytes
   * @return the letters by ascending id; none if there are none
   */
  Future<List<Kept>> list(long after, int limit);

  /** {@return how many there are, from earlier runs too; fails if they cannot be read} */
  Future<Long> count();

  /** {@return how many there were when they were last counted or changed} */
  long kept();

  /**
   * Removes some.
   *
   * @param ids which; unknown ids are ignored
   * @return how many were removed
   */
  Future<Integer> remove(Collection<Long> ids);

  /**
   * Removes all letters.
   *
   * @return how many were removed
   */
  Future<Integer> removeAll();
}
