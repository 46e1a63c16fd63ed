package io.shardbus.shard;

import io.shardbus.event.Outcome;
import io.shardbus.event.ShardEvent;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.RandomAccess;
import org.jspecify.annotations.Nullable;

/**
 * Events taken from a shard, with their acknowledgements. Not safe for threads: it belongs to the
 * consumer of the shard.
 */
public final class DrainBuffer {

  private final int shard;
  private QueuedEvent[] drained;
  private int size;
  private long firstSequence;
  private boolean closed;
  private final List<ShardEvent> events = new Events();

  private boolean asked;
  private long bytes;
  private long oldestIngested = Long.MAX_VALUE;

  /** Makes the events when they are asked for: most sinks look at each once and forget it. */
  private final class Events extends AbstractList<ShardEvent> implements RandomAccess {

    @Override
    public ShardEvent get(int index) {
      QueuedEvent event = drained[Objects.checkIndex(index, size)];
      return new ShardEvent(
          shard,
          firstSequence + index,
          event.timestamp,
          event.payload,
          event.key(),
          event.id(),
          event.headers());
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

  /**
   * Makes room for one event more. Comes before the event is taken, since it may run out of memory.
   */
  void reserve() {
    if (size == drained.length) {
      drained = Arrays.copyOf(drained, size * 2);
    }
  }

  /**
   * Adds the event of the sequence that it {@link #takes}, in the room that is reserved.
   *
   * @param ingested when it was ingested, whatever its timestamp was raised to
   */
  void add(QueuedEvent event, long ingested) {
    drained[size++] = event;
    oldestIngested = Math.min(oldestIngested, ingested);
    bytes += event.footprint();
    asked |= event.ack() != null;
  }

  /** {@return the events, in order: a live view} */
  public List<ShardEvent> events() {
    return events;
  }

  /**
   * {@return the sequence of the first event, at least 0; says nothing while the buffer is empty}
   */
  public long firstSequence() {
    return firstSequence;
  }

  /**
   * The timestamp of an event. Makes no object.
   *
   * @param index the event's index in {@link #events()}
   * @return nanoseconds since the epoch
   */
  public long timestamp(int index) {
    return drained[Objects.checkIndex(index, size)].timestamp;
  }

  /**
   * When the first of the events was ingested. Its timestamp may be later: they are raised to stay
   * in order.
   *
   * @return nanoseconds since the epoch; {@link Long#MAX_VALUE} if there are no events
   */
  public long oldestIngested() {
    return oldestIngested;
  }

  /** {@return the number of events} */
  public int size() {
    return size;
  }

  /** {@return whether an event in here has an acknowledgement} */
  public boolean asked() {
    return asked;
  }

  /**
   * {@return whether no more events fit in here, because another caller took the next ones; for
   * good}
   */
  public boolean isClosed() {
    return closed;
  }

  /** {@return the sum of the events' sizes, with keys, ids and headers, in bytes} */
  public long bytes() {
    return bytes;
  }

  /**
   * Tells all acknowledgements that their events share one fate.
   *
   * @param failure why they will not be delivered; null if they were
   */
  public void acknowledgeAll(@Nullable Outcome failure) {
    acknowledge(null, 0, size, failure);
  }

  /**
   * Tells the acknowledgements of some events their fate. Neighbours with the same acknowledgement
   * come in one call.
   *
   * @param indexes the events' indexes in {@link #events()}, ascending; null if each number is its
   *     own index
   * @param from the first of the indexes that counts
   * @param to behind the last of the indexes that counts
   * @param failure why they will not be delivered; null if they were
   */
  public void acknowledge(int @Nullable [] indexes, int from, int to, @Nullable Outcome failure) {
    int at = from;
    while (asked && at < to) {
      DeliveryAck ack = ack(indexes, at);
      int first = at;
      do {
        at++;
      } while (at < to && ack(indexes, at) == ack);
      Acks.tell(ack, at - first, failure);
    }
  }

  private @Nullable DeliveryAck ack(int @Nullable [] indexes, int at) {
    return drained[indexes == null ? at : indexes[at]].ack();
  }
}
