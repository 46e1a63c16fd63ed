package io.shardbus.app.soak;

import java.util.BitSet;

/** The answers of the bus to each event of a producer. Safe for any thread. */
final class SoakFates {

  private final BitSet accepted = new BitSet();
  private final BitSet unknown = new BitSet();
  private long acceptedCount;

  synchronized void took(long place) {
    accepted.set((int) place);
    acceptedCount++;
  }

  /** The bus took some of the events, and does not say which. */
  synchronized void tookSome(int count) {
    acceptedCount += count;
  }

  /** It may have taken an event: its answer was lost when the bus was closed. */
  synchronized void unknown(long place) {
    unknown.set((int) place);
  }

  synchronized long acceptedCount() {
    return acceptedCount;
  }

  synchronized int unknownCount() {
    return unknown.cardinality();
  }

  synchronized boolean accepted(long place) {
    return accepted.get((int) place);
  }

  synchronized boolean refused(long place) {
    return !accepted.get((int) place) && !unknown.get((int) place);
  }
}
