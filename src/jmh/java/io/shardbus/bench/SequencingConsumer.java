package io.shardbus.bench;

/** What every compared consumer does with an event: it gives it its sequence and counts it. */
final class SequencingConsumer {

  private final Counts counts;
  private final int ring;
  private long sequence;
  private long uncountedEvents;
  private long uncountedBytes;

  SequencingConsumer(Counts counts, int ring) {
    this.counts = counts;
    this.ring = ring;
  }

  void accept(RingEvent event) {
    event.sequence = sequence++;
    uncountedEvents++;
    uncountedBytes += event.payload.length();
  }

  /** Makes the events since the last call visible in the counts. */
  void publish() {
    counts.add(ring, uncountedEvents, uncountedBytes);
    uncountedEvents = 0;
    uncountedBytes = 0;
  }
}
