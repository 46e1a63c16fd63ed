package io.shardbus.sink.eventbus;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the sink knows about a consumer. */
final class Member {

  private static final long GRACE_NANOS = 2 * Protocol.HEARTBEAT.toNanos();

  final String id;
  long lastSeen;

  /** How many shards it owns. */
  int shards;

  /**
   * Whether it did not answer a batch in time. It then gets no more shards, unless all members are
   * late, until it answers a batch or says that it is no longer late.
   */
  private boolean late;

  private long lateSince;

  private int credits;
  private final Set<Dispatch> inFlight = new LinkedHashSet<>();
  private final Deque<Dispatch> waiting = new ArrayDeque<>();

  Member(String id) {
    this.id = id;
  }

  /**
   * @param saysLate whether it says that it is late; null if it does not say
   */
  void seen(long now, int credits, @Nullable Boolean saysLate) {
    lastSeen = now;
    this.credits = credits;
    // A message that it sent before it could know does not count.
    if (late && Boolean.FALSE.equals(saysLate) && now - lateSince > GRACE_NANOS) {
      late = false;
    }
  }

  void letTimePass(long now) {
    late = true;
    lateSince = now;
  }

  boolean isLate() {
    return late;
  }

  void enqueue(Dispatch dispatch) {
    waiting.add(dispatch);
  }

  /**
   * Takes a credit for the batch that has waited for the longest time; null if there is no credit
   * or no batch.
   */
  @Nullable Dispatch next() {
    if (inFlight.size() >= credits || waiting.isEmpty()) {
      return null;
    }
    Dispatch next = waiting.remove();
    inFlight.add(next);
    return next;
  }

  /** Gives the credit back. */
  void givesBack(Dispatch dispatch) {
    inFlight.remove(dispatch);
  }

  void answers() {
    late = false;
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
