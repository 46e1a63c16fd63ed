package io.shardbus.sink.eventbus;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A consumer as the sink knows it. */
final class Member {

  final String id;
  long lastSeen;

  /** How many shards it owns. */
  int shards;

  private int credits;
  private final Set<Dispatch> inFlight = new LinkedHashSet<>();
  private final Deque<Dispatch> waiting = new ArrayDeque<>();

  Member(String id) {
    this.id = id;
  }

  void seen(long now, int credits) {
    lastSeen = now;
    this.credits = credits;
  }

  void enqueue(Dispatch dispatch) {
    waiting.add(dispatch);
  }

  /** Takes a credit for the batch that has waited longest; null if there is no credit or batch. */
  @Nullable Dispatch next() {
    if (inFlight.size() >= credits || waiting.isEmpty()) {
      return null;
    }
    Dispatch next = waiting.remove();
    inFlight.add(next);
    return next;
  }

  /** Gives the credit back. */
  void answered(Dispatch dispatch) {
    inFlight.remove(dispatch);
  }

  List<Dispatch> takeWaiting() {
    List<Dispatch> taken = new ArrayList<>(waiting);
    waiting.clear();
    return taken;
  }

  List<Dispatch> takeInFlight() {
    List<Dispatch> taken = new ArrayList<>(inFlight);
    inFlight.clear();
    return taken;
  }
}
