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
  private final Set<Delivery> inFlight = new LinkedHashSet<>();
  private final Deque<Delivery> waiting = new ArrayDeque<>();

  Member(String id) {
    this.id = id;
  }

  void seen(long now, int credits) {
    lastSeen = now;
    this.credits = credits;
  }

  void enqueue(Delivery delivery) {
    waiting.add(delivery);
  }

  /** Takes a credit for the batch that has waited longest; null if there is no credit or batch. */
  @Nullable Delivery next() {
    if (inFlight.size() >= credits || waiting.isEmpty()) {
      return null;
    }
    Delivery next = waiting.remove();
    inFlight.add(next);
    return next;
  }

  /** Gives the credit back. */
  void answered(Delivery delivery) {
    inFlight.remove(delivery);
  }

  List<Delivery> takeWaiting() {
    List<Delivery> taken = new ArrayList<>(waiting);
    waiting.clear();
    return taken;
  }

  List<Delivery> takeInFlight() {
    List<Delivery> taken = new ArrayList<>(inFlight);
    inFlight.clear();
    return taken;
  }
}
