package io.shardbus.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A thread that pushes events of the keys that it owns, few of them much more often than the
 * others, and now and then hands a key over to another producer. Before that it waits for the bus's
 * word on all that it pushed.
 */
public final class KeyedProducer extends Thread {

  private static final int MOST_AT_ONCE = 20;
  private static final int PUSHES_PER_HANDOVER = 300;

  private final KeyOrderChecker checker;
  private final KeyedWay way;
  private final Random dice;
  private final List<Integer> owned = new ArrayList<>();
  private final Queue<Integer> inbox = new ConcurrentLinkedQueue<>();
  private final List<KeyedProducer> all;
  private volatile boolean ending;
  private volatile Throwable failure;

  /**
   * @param all the producers that hand over to each other
   */
  public KeyedProducer(
      String name, KeyOrderChecker checker, KeyedWay way, long seed, List<KeyedProducer> all) {
    super(name);
    this.checker = checker;
    this.way = way;
    this.all = all;
    dice = new Random(seed);
  }

  /** Makes it the owner of a key. */
  public void own(int key) {
    inbox.add(key);
  }

  /** Pushes no more, and waits for the bus's word. */
  public void end() throws Exception {
    ending = true;
    join();
    if (failure != null) {
      throw new AssertionError(getName() + " failed", failure);
    }
  }

  @Override
  public void run() {
    try {
      while (!ending) {
        for (Integer key = inbox.poll(); key != null; key = inbox.poll()) {
          owned.add(key);
        }
        if (!owned.isEmpty()) {
          way.push(some());
        }
        if (owned.size() > 1 && dice.nextInt(PUSHES_PER_HANDOVER) == 0) {
          way.settle();
          all.get(dice.nextInt(all.size())).own(owned.remove(dice.nextInt(owned.size())));
        }
      }
      way.settle();
    } catch (Exception | Error e) {
      failure = e;
    }
  }

  private List<KeyedEvent> some() {
    int count = 1 + dice.nextInt(MOST_AT_ONCE);
    List<KeyedEvent> events = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      double uniform = dice.nextDouble();
      int key = owned.get((int) (owned.size() * uniform * uniform * uniform));
      events.add(new KeyedEvent(key, checker.next(key)));
    }
    return events;
  }
}
