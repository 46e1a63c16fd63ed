package io.shardbus.shard;

import io.shardbus.event.ShardEvent;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.RandomAccess;
import org.jspecify.annotations.Nullable;

/**
 * Events taken from a shard, with those to be told of their fate. Not safe for threads: it belongs
 * to the shard's consumer.
 */
public final class DrainBuffer {

  private final int shard;
  private QueuedEvent[] drained;
  private int size;
  private long firstSequence;
  private boolean closed;
  private final List<ShardEvent> events = new Events();

  /** Neighbours with the same ack; empty as long as nobody asks. */
  private final List<Run> runs = new ArrayList<>(0);

  private long bytes;

  private record Run(int from, @Nullable DeliveryAck ack) {}

  /** Makes the events when they are asked for: most sinks look at each once and forget it. */
  private final class Events extends AbstractList<ShardEvent> implements RandomAccess {

    @Override
    public ShardEvent get(int index) {
      QueuedEvent event = drained[Objects.checkIndex(index, size)];
      return new ShardEvent(
          shard, firstSequence + index, event.timestamp, event.payload, event.key());
    }

    @Override
    public int size() {
      return size;
    }
  }

  /**
   * An empty buffer.
   *
   * @param shard the shard's id
   * @param expected how many events to make room for
   */
  public DrainBuffer(int shard, int expected) {
    this.shard = shard;
    drained = new QueuedEvent[Math.max(1, expected)];
  }

  /** Whether an event of that sequence comes next. If not, the buffer takes no more events. */
  boolean takes(long sequence) {
    if (size == 0) {
      firstSequence = sequence;
    }
    closed |= sequence != firstSequence + size;
    return !closed;
  }

  /** Adds the event of the sequence that it {@link #takes}. */
  void add(QueuedEvent event) {
    if (size == drained.length) {
      drained = Arrays.copyOf(drained, size * 2);
    }
    DeliveryAck ack = event.ack();
    if (runs.isEmpty() ? ack != null : runs.get(runs.size() - 1).ack() != ack) {
      runs.add(new Run(size, ack));
    }
    drained[size++] = event;
    bytes += event.payload.length();
  }

  /**
   * The events, in order.
   *
   * @return a live view
   */
  public List<ShardEvent> events() {
    return events;
  }

  /**
   * The number of events.
   *
   * @return at least 0
   */
  public int size() {
    return size;
  }

  /**
   * Whether somebody wants to know of the fate of an event in here.
   *
   * @return true if an acknowledgement is asked for
   */
  public boolean asked() {
    return !runs.isEmpty();
  }

  /**
   * Whether no more events fit in here, because somebody else took those that came next.
   *
   * @return true if the buffer stays as it is
   */
  public boolean isClosed() {
    return closed;
  }

  /**
   * The sum of the payloads' sizes.
   *
   * @return bytes
   */
  public long bytes() {
    return bytes;
  }

  /**
   * Tells all who asked of the fate that their events share.
   *
   * @param failure why they will not be delivered; null if they were
   */
  public void acknowledgeAll(DeliveryAck.@Nullable Failure failure) {
    for (int i = 0; i < runs.size(); i++) {
      Acks.tell(runs.get(i).ack(), end(i) - runs.get(i).from(), failure);
    }
  }

  /**
   * Tells those who asked of the fate of some events.
   *
   * @param indexes the events' indexes in {@link #events()}, ascending
   * @param from the first of the indexes that counts
   * @param to behind the last of the indexes that counts
   * @param failure why they will not be delivered; null if they were
   */
  public void acknowledge(int[] indexes, int from, int to, DeliveryAck.@Nullable Failure failure) {
    int at = from;
    for (int i = 0; i < runs.size() && at < to; i++) {
      while (at < to && indexes[at] < runs.get(i).from()) {
        at++; // before the first who asked
      }
      int first = at;
      while (at < to && indexes[at] < end(i)) {
        at++;
      }
      Acks.tell(runs.get(i).ack(), at - first, failure);
    }
  }

  private int end(int run) {
    return run + 1 < runs.size() ? runs.get(run + 1).from() : size;
  }
}
