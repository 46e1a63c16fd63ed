package io.shardbus.shard;

import io.shardbus.event.ShardEvent;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Events taken from a shard, with those to be told of their fate. Not safe for threads: it belongs
 * to the shard's consumer.
 */
public final class DrainBuffer {

  private final List<ShardEvent> events;

  /** Neighbours with the same ack; empty as long as nobody asks. */
  private final List<Run> runs = new ArrayList<>(0);

  private long bytes;

  private record Run(int from, @Nullable DeliveryAck ack) {}

  /**
   * An empty buffer.
   *
   * @param expected how many events to make room for
   */
  public DrainBuffer(int expected) {
    events = new ArrayList<>(expected);
  }

  void add(ShardEvent event, @Nullable DeliveryAck ack) {
    if (runs.isEmpty() ? ack != null : runs.get(runs.size() - 1).ack() != ack) {
      runs.add(new Run(events.size(), ack));
    }
    events.add(event);
    bytes += event.payload().length();
  }

  /**
   * The events, in order.
   *
   * @return the live list
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
    return events.size();
  }

  /**
   * The sum of the payloads' sizes.
   *
   * @return bytes
   */
  public long bytes() {
    return bytes;
  }

  /** Tells all who asked that their events were delivered. */
  public void acknowledgeAll() {
    for (int i = 0; i < runs.size(); i++) {
      tell(runs.get(i).ack(), end(i) - runs.get(i).from(), null);
    }
  }

  /**
   * Tells those who asked of the fate of some events.
   *
   * @param indexes the events' indexes in {@link #events()}, ascending
   * @param failure why they will not be delivered; null if they were
   */
  public void acknowledge(int[] indexes, DeliveryAck.@Nullable Failure failure) {
    int at = 0;
    for (int i = 0; i < runs.size() && at < indexes.length; i++) {
      while (at < indexes.length && indexes[at] < runs.get(i).from()) {
        at++; // before the first who asked
      }
      int first = at;
      while (at < indexes.length && indexes[at] < end(i)) {
        at++;
      }
      tell(runs.get(i).ack(), at - first, failure);
    }
  }

  private int end(int run) {
    return run + 1 < runs.size() ? runs.get(run + 1).from() : events.size();
  }

  private static void tell(
      @Nullable DeliveryAck ack, int count, DeliveryAck.@Nullable Failure failure) {
    if (ack == null || count == 0) {
      return;
    }
    if (failure == null) {
      ack.delivered(count);
    } else {
      ack.failed(failure, count);
    }
  }
}
