package io.shardbus.shard;

import io.shardbus.shard.ScalingDecision.Direction;
import java.time.Instant;
import java.util.List;

/**
 * The requests to add and remove shards: the current ones, and the results of the others. Safe for
 * any thread.
 */
public interface ScalingHistory {

  /** Where a request came from. */
  enum Cause {
    /** A caller. */
    MANUAL,
    /** The scaling policy. */
    AUTOMATIC
  }

  /** How a request ended. */
  enum Ending {
    /** It was carried out. */
    DONE,
    /** It was refused or rolled back. */
    FAILED
  }

  /**
   * A request that has ended.
   *
   * @param at when it ended
   * @param direction up or down
   * @param cause who asked
   * @param reason why the policy asked, with the numbers; empty if a caller asked
   * @param outcome what became of it
   * @param shards the shards that were added or removed; empty if it failed
   * @param active shards that took events when it ended
   * @param detail why it failed; empty if it was carried out
   */
  record Entry(
      Instant at,
      Direction direction,
      Cause cause,
      String reason,
      Ending outcome,
      List<Integer> shards,
      int active,
      String detail) {}

  /**
   * A request that has not ended. It waits for its turn, for verticles, or for a sink that must
   * take the events of draining shards.
   *
   * @param since when it was made
   * @param direction up or down
   * @param cause who asked
   * @param reason why the policy asked, with the numbers; empty if a caller asked
   */
  record Request(Instant since, Direction direction, Cause cause, String reason) {}

  /** {@return the last hundred requests, the oldest first} */
  List<Entry> recent();

  /** {@return the requests that have not ended, the oldest first} */
  List<Request> underWay();

  /**
   * How many requests ended in a way.
   *
   * @param direction up or down
   * @param cause who asked
   * @param outcome what became of them
   * @return requests since the start
   */
  long count(Direction direction, Cause cause, Ending outcome);
}
