package io.shardbus.delivery;

import io.shardbus.shard.ScalingDecision.Direction;
import io.shardbus.shard.ScalingHistory;
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

/** Notes the requests to add and remove shards. Safe for any thread. */
final class ScalingRecords implements ScalingHistory {

  /** How many of the last requests are kept whole; all are counted. */
  private static final int KEPT = 100;

  private record Kind(Direction direction, Cause cause, Ending outcome) {}

  private final IntSupplier active;
  private final Deque<Entry> recent = new ArrayDeque<>();
  private final Set<Request> underWay = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Map<Kind, Long> counts = new HashMap<>();

  /**
   * @param active tells how many shards are active
   */
  ScalingRecords(IntSupplier active) {
    this.active = active;
  }

  @Override
  public synchronized List<Entry> recent() {
    return List.copyOf(recent);
  }

  @Override
  public synchronized List<Request> underWay() {
    return underWay.stream().sorted(Comparator.comparing(Request::since)).toList();
  }

  @Override
  public synchronized long count(Direction direction, Cause cause, Ending outcome) {
    return counts.getOrDefault(new Kind(direction, cause, outcome), 0L);
  }

  /** Notes a request, and its end; the future that it returns completes after that. */
  Future<List<Integer>> follow(
      Direction direction, Cause cause, String reason, Future<List<Integer>> answer) {
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
