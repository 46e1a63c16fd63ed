package io.shardbus;

import io.shardbus.shard.ScalingLimit;
import io.shardbus.shard.ShardAccounting;
import io.shardbus.shard.ShardManager;
import io.shardbus.shard.ShardState;
import io.shardbus.sink.SinkHealth;
import java.util.List;

/**
 * What a bus has done and holds. Whenever no call is under way: {@code offered = accepted + refused
 * + duplicates}, and {@code accepted = delivered + evicted + deadLettered + pendingInRing +
 * inFlight}, for each shard and in total.
 *
 * @param total the sum over all shards, with those that are gone
 * @param refusals events that no shard was asked to take
 * @param ids what became of events with an id
 * @param waiting events that wait for room and are not offered yet, of {@code ingestAwait}, {@code
 *     deliverAwait}, streams, publishers, replays and a gateway's clients. A gateway's client waits
 *     with one event; the events behind it are not counted
 * @param deadLettersKept dead letters that are kept, from earlier runs too, 0 if none
 * @param batches batches that the sink took
 * @param clockStepsBack how often the wall clock, and the timestamps with it, went back by more
 *     than a minute
 * @param scaling how the number of shards changed
 * @param shards the shards there are, by ascending id
 */
public record BusStats(
    ShardAccounting total,
    ShardManager.Refusals refusals,
    Ids ids,
    int waiting,
    long deadLettersKept,
    long batches,
    long clockStepsBack,
    Scaling scaling,
    List<ShardStatus> shards) {

  /** {@return events handed to the bus: accepted, refused and duplicates} */
  public long offered() {
    return total.offered() + refusals.total() + ids.duplicates();
  }

  /** {@return events that were not taken, for any reason but that they are duplicates} */
  public long refused() {
    return total.offered() - total.accepted() + refusals.total();
  }

  /**
   * The ids of events.
   *
   * @param duplicates events that were not taken, because one with the same id was
   * @param remembered ids that are remembered now
   * @param forgotten ids that were forgotten before their window was over, because there was no
   *     room
   */
  public record Ids(long duplicates, long remembered, long forgotten) {}

  /**
   * One shard.
   *
   * @param id its id
   * @param state where it is in its life
   * @param capacity events its ring can hold
   * @param fillRatio how full its ring is, 0 to 1
   * @param slots slots of the routing table that it owns
   * @param lanes its rings
   * @param accounting where its events went
   * @param sink the state of its connection with the sink
   */
  public record ShardStatus(
      int id,
      ShardState state,
      int capacity,
      double fillRatio,
      int slots,
      Lanes lanes,
      ShardAccounting accounting,
      SinkHealth sink) {}

  /**
   * The lanes of one shard. A lane is a ring. A shard begins with one; keys that come from another
   * shard get a lane of their own, which stays until it is merged with others.
   *
   * @param count how many there are, 0 once a shard that leaves is settled
   * @param fencedEvents events that wait because their keys came from another shard, which has not
   *     settled its events of these keys yet
   * @param fencedMillis how long the oldest fence has been closed, in ms; 0 if none is
   * @param turnOvers how often the shard was given a fresh ring because keys left it
   */
  public record Lanes(int count, int fencedEvents, long fencedMillis, long turnOvers) {}

  /**
   * How the number of shards changed.
   *
   * @param added shards added since the start
   * @param removed shards removed since the start
   * @param failed requests that could not be carried out, and were rolled back
   * @param slotsMoved slots of the routing table that changed their owner
   * @param turnOvers how often a shard was given a fresh ring because keys left it
   * @param limit what keeps the policy now from adding the shards that the load asks for
   * @param limitReason the same in words, with the numbers; empty if nothing does
   */
  public record Scaling(
      long added,
      long removed,
      long failed,
      long slotsMoved,
      long turnOvers,
      ScalingLimit limit,
      String limitReason) {}
}
