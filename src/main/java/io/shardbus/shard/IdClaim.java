package io.shardbus.shard;

import io.shardbus.event.Outcome;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/*
 * Ownership: the fields below belong to the thread that holds the monitor. Acks are told without it, because they are
 * code of the callers.
 *
 * Ordering: the id is freed before the state says that it is. So a repeat that finds the claim failed can claim the id
 * anew.
 */
/**
 * The id of one event, from its offer until it is delivered or not. It is the event's
 * acknowledgement in the ring, and passes the fate on to the event's own and to those of repeats.
 */
final class IdClaim implements DeliveryAck {

  /** What a repeat finds. */
  enum Found {
    /** The first is being offered, and may still be refused. */
    OFFERED,
    /** The first is taken; if it is delivered, or not, the repeat will be told. */
    TAKEN,
    /** The first is delivered. */
    DELIVERED,
    /** The first will not be delivered; the id is free. */
    FREE
  }

  final long high;
  final long low;
  private final IdWindow window;
  private final @Nullable DeliveryAck own;

  private Found state = Found.OFFERED;
  private boolean deliveredAlready;
  private int shard = -1;
  private long timestamp;
  private @Nullable List<DeliveryAck> repeats;

  IdClaim(IdWindow window, long high, long low, @Nullable DeliveryAck own) {
    this.window = window;
    this.high = high;
    this.low = low;
    this.own = own;
  }

  /** The event is in a ring, or may have left it already. */
  void accepted(int by, long at) {
    synchronized (this) {
      shard = by;
      timestamp = at;
      if (state == Found.FREE) {
        return;
      }
      state = deliveredAlready ? Found.DELIVERED : Found.TAKEN;
      if (!deliveredAlready) {
        return;
      }
    }
    window.settle(this, by, at);
  }

  /** The event was refused. */
  void refused() {
    window.free(this);
    synchronized (this) {
      state = Found.FREE;
    }
  }

  synchronized int shard() {
    return shard;
  }

  synchronized long timestamp() {
    return timestamp;
  }

  /** What became of the first; if it is not known yet, the ack of the repeat is told later. */
  synchronized Found join(@Nullable DeliveryAck repeat) {
    if (state == Found.TAKEN && repeat != null) {
      List<DeliveryAck> all = repeats == null ? new ArrayList<>(1) : repeats;
      all.add(repeat);
      repeats = all;
    }
    return state;
  }

  @Override
  public void delivered(int events) {
    List<DeliveryAck> waiting;
    boolean known;
    synchronized (this) {
      known = state == Found.TAKEN;
      deliveredAlready = true;
      if (known) {
        state = Found.DELIVERED;
      }
      waiting = repeats == null ? List.of() : repeats;
      repeats = null;
    }
    if (known) {
      window.settle(this, shard(), timestamp());
    }
    tell(waiting, null);
  }

  @Override
  public void failed(Outcome why, int events) {
    window.free(this);
    List<DeliveryAck> waiting;
    synchronized (this) {
      state = Found.FREE;
      waiting = repeats == null ? List.of() : repeats;
      repeats = null;
    }
    tell(waiting, why);
  }

  private void tell(List<DeliveryAck> waiting, @Nullable Outcome failure) {
    Acks.tell(own, 1, failure);
    for (DeliveryAck repeat : waiting) {
      Acks.tell(repeat, 1, failure);
    }
  }
}
