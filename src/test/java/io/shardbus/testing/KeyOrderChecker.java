package io.shardbus.testing;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;

/**
 * Checks the order of each key by what a sink confirmed and when. An event is a key and a place:
 * the places of a key are given in push order, from 0, by whoever owns the key at the time. Safe
 * for any thread.
 */
public final class KeyOrderChecker {

  private static final int MOST_SHOWN = 10;

  private final Key[] keys;
  private final List<String> examples = new ArrayList<>();
  private long confirmed;
  private long deadLettered;
  private long reordered;
  private long doubled;
  private long lost;
  private long invented;

  /** Guarded by itself. */
  private static final class Key {
    final BitSet accepted = new BitSet();
    final BitSet refused = new BitSet();
    final BitSet confirmed = new BitSet();
    final BitSet deadLettered = new BitSet();
    int next;
    int newest = -1;
  }

  /**
   * @param keys how many there are
   */
  public KeyOrderChecker(int keys) {
    this.keys = new Key[keys];
    for (int key = 0; key < keys; key++) {
      this.keys[key] = new Key();
    }
  }

  public int keys() {
    return keys.length;
  }

  /** The place of an event that is about to be pushed. */
  public int next(int key) {
    synchronized (keys[key]) {
      return keys[key].next++;
    }
  }

  /** The bus said that it took an event. If the bus says nothing of an event, either may hold. */
  public void accepted(int key, int place) {
    synchronized (keys[key]) {
      keys[key].accepted.set(place);
    }
  }

  /** The bus said that it did not take an event. */
  public void refused(int key, int place) {
    synchronized (keys[key]) {
      keys[key].refused.set(place);
    }
  }

  /** A sink is about to confirm an event, which it knows not to be a repetition. */
  public void confirmed(int key, int place) {
    boolean again;
    int newest;
    synchronized (keys[key]) {
      again = keys[key].confirmed.get(place);
      newest = keys[key].newest;
      keys[key].confirmed.set(place);
      keys[key].newest = Math.max(newest, place);
    }
    synchronized (this) {
      confirmed++;
      if (again) {
        doubled++;
        example("key %d: %d was delivered twice", key, place);
      } else if (place < newest) {
        reordered++;
        example("key %d: %d was delivered after %d", key, place, newest);
      }
    }
  }

  /** A sink refused an event for good. */
  public void deadLettered(int key, int place) {
    synchronized (keys[key]) {
      keys[key].deadLettered.set(place);
    }
    synchronized (this) {
      deadLettered++;
    }
  }

  private synchronized void example(String text, Object... details) {
    if (examples.size() < MOST_SHOWN) {
      examples.add(String.format(Locale.ROOT, text, details));
    }
  }

  /**
   * Settles the account, once the bus is closed.
   *
   * @param accepted events that the bus says it accepted
   * @param evicted events that it says it evicted
   * @return what is wrong; empty if nothing is
   */
  public List<String> faults(long accepted, long evicted) {
    long nowhere = 0;
    for (int key = 0; key < keys.length; key++) {
      synchronized (keys[key]) {
        BitSet missing = (BitSet) keys[key].accepted.clone();
        missing.andNot(keys[key].confirmed);
        missing.andNot(keys[key].deadLettered);
        nowhere += missing.cardinality();
        BitSet surplus = (BitSet) keys[key].confirmed.clone();
        surplus.and(keys[key].refused);
        invented(key, surplus, "was refused, and delivered");
        surplus = (BitSet) keys[key].confirmed.clone();
        surplus.and(keys[key].deadLettered);
        invented(key, surplus, "was dead-lettered, and delivered");
      }
    }
    lost = Math.max(0, nowhere - evicted);
    List<String> faults = new ArrayList<>();
    synchronized (this) {
      fault(faults, reordered, "reordered");
      fault(faults, doubled, "doubled");
      fault(faults, lost, "lost");
      fault(faults, invented, "delivered against the word of the bus");
      fault(
          faults,
          Math.abs(accepted - confirmed - deadLettered - evicted),
          "between what was accepted ("
              + accepted
              + ") and what was confirmed, dead-lettered ("
              + deadLettered
              + ") and evicted ("
              + evicted
              + ")");
      faults.addAll(faults.isEmpty() ? List.of() : examples);
    }
    return faults;
  }

  private void invented(int key, BitSet places, String how) {
    if (!places.isEmpty()) {
      invented += places.cardinality();
      example("key %d: %d %s", key, places.nextSetBit(0), how);
    }
  }

  private void fault(List<String> faults, long count, String what) {
    if (count > 0) {
      faults.add(String.format(Locale.ROOT, "%,d of %,d %s", count, confirmed, what));
    }
  }

  /** Confirmations. */
  public synchronized long confirmed() {
    return confirmed;
  }

  /** Events confirmed for the first time after a newer one of their key. */
  public synchronized long reordered() {
    return reordered;
  }
}
