package io.shardbus.delivery;

import io.shardbus.shard.ScalingDecision.Direction;
import io.vertx.core.Future;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntSupplier;

/**
 * The requests to add and remove shards: the current ones, and the results of the others. Safe for
 * any thread.
 */
public final class ScalingHistory {

  /** How many of the last requests are kept whole; all are counted. */
  private static final int KEPT = 100;

  /** Where a request came from. */
  public enum Cause {
    /** A caller. */
    MANUAL,
    /** The scaling policy. */
    AUTOMATIC
  }

  /** How a request ended. */
  public enum Ending {
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
  public record Entry(
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
  public record Request(Instant since, Direction direction, Cause cause, String reason) {}

  private record Kind(Direction direction, Cause cause, Ending outcome) {}

  private final Deque<Entry> recent = new ArrayDeque<>();
  private final Set<Request> underWay = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Map<Kind, Long> counts = new HashMap<>();

  ScalingHistory() {}

  /**
   * The last hundred requests.
   *
   * @return the oldest first
   */
  public synchronized List<Entry> recent() {
    return List.copyOf(recent);
  }

  /**
   * The requests that have not ended.
   *
   * @return the oldest first
   */
  public synchronized List<Request> underWay() {
    return underWay.stream().sorted(Comparator.comparing(Request::since)).toList();
  }

  /**
   * How many requests ended in a way.
   *
   * @param direction up or down
   * @param cause who asked
   * @param outcome what became of them
   * @return requests since the start
   */
  public synchronized long count(Direction direction, Cause cause, Ending outcome) {
    return counts.getOrDefault(new Kind(direction, cause, outcome), 0L);
  }

  /** Notes a request, and its end; the future that it returns completes after that. */
  Future<List<Integer>> follow(
      Direction direction,
      Cause cause,
      String reason,
      Future<List<Integer>> answer,
      IntSupplier active) {
    Request request = new Request(Instant.now(), direction, cause, reason);
    synchronized (this) {
      underWay.add(request);
    }
    return answer.onComplete(
        result ->
            add(
                request,
                new Entry(
                    Instant.now(),
                    direction,
                    cause,
                    reason,
                    result.succeeded() ? Ending.DONE : Ending.FAILED,
                    result.succeeded() ? List.copyOf(result.result()) : List.of(),
                    active.getAsInt(),
                    result.succeeded() ? "" : String.valueOf(result.cause().getMessage()))));
  }

  private synchronized void add(Request request, Entry entry) {
    underWay.remove(request);
    recent.addLast(entry);
    if (recent.size() > KEPT) {
      recent.removeFirst();
    }
    counts.merge(new Kind(entry.direction(), entry.cause(), entry.outcome()), 1L, Long::sum);
  }
}
