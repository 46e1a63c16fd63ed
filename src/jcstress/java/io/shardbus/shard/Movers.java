package io.shardbus.shard;

import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.vertx.core.buffer.Buffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * An engine on the brink of a move: shard 0 has all keys, and {@link #move} makes shard 1 active,
 * which gets some of them. Remembers in which order its one consumer had the events of two keys:
 * one that moves and one that stays.
 */
final class Movers {

  static final int CAPACITY = 1024;

  /** Of the keys that move, and of those that stay. */
  static final String MOVES;

  static final String STAYS;

  static {
    Movers probe = new Movers(BackpressureMode.FAIL_PRODUCER);
    probe.push("first", 0);
    probe.move();
    MOVES = probe.keyOf(1);
    STAYS = probe.keyOf(0);
  }

  final ShardManager manager;
  final Shard giver;
  final Shard receiver;

  private final long[] last = {-1, -1};
  private int taken;
  private boolean ordered = true;

  Movers(BackpressureMode mode) {
    manager =
        ShardManager.withMapper(
            1, CAPACITY, mode, new ScalingPolicy().setMaxShards(4).setMinShards(1));
    giver = manager.shard(0).orElseThrow();
    receiver = manager.shard(manager.addShardForce()).orElseThrow();
  }

  private String keyOf(int shard) {
    for (int i = 0; ; i++) {
      if (manager.selectShard(RawEvent.of(Buffer.buffer(), "key " + i)) == shard) {
        return "key " + i;
      }
    }
  }

  // ---------------------------------------------------------------- any thread

  static RawEvent event(String key, int number) {
    return RawEvent.of(Buffer.buffer(4).appendInt(number), key);
  }

  static RawEvent largeEvent(String key, int number) {
    return RawEvent.of(Buffer.buffer(new byte[2048]).setInt(0, number), key);
  }

  /** Returns how many were accepted: 1 or 0. */
  int push(String key, int number) {
    return push(event(key, number));
  }

  int push(RawEvent event) {
    return manager.ingestRaw(event).accepted() ? 1 : 0;
  }

  int pushBatch(RawEvent... events) {
    return manager.ingestRawBatch(Arrays.asList(events)).accepted();
  }

  void move() {
    manager.activateShard(receiver.id());
  }

  void moveBack() {
    manager.drainShard(receiver.id());
  }

  // ---------------------------------------------------------------- the consumer

  /** What there is: the receiver's first, since a fence that is missing shows then. */
  void take() {
    note(receiver.popBatch(2 * CAPACITY));
    note(giver.popBatch(2 * CAPACITY));
  }

  void note(List<ShardEvent> events) {
    for (ShardEvent event : events) {
      int key = MOVES.equals(event.key()) ? 0 : 1;
      int number = event.payload().getInt(0);
      ordered &= number > last[key];
      last[key] = number;
      taken++;
    }
  }

  // ---------------------------------------------------------------- afterwards

  /** Takes all that can be had. Returns 1 if nothing is left. */
  int takeAll() {
    int idle = 0;
    while (idle < 3) { // a fence opens at the take after the one that settled
      int before = taken;
      take();
      idle = before == taken ? idle + 1 : 0;
    }
    return manager.allShardsEmpty() ? 1 : 0;
  }

  /**
   * @param accepted what the producers were told, with what was pushed before
   * @return 1 if each key was had in order, each event once, and the accounts add up
   */
  int verdict(int accepted) {
    ShardAccounting account = manager.accounting();
    boolean ok =
        ordered
            && account.accepted() == accepted
            && ShardStress.balanced(account, taken) == 1
            && large() == 0
            && lanesAreTidy();
    return ok ? 1 : 0;
  }

  private long large() {
    return lanes().mapToLong(lane -> lane.ring().largeBytes()).sum();
  }

  /** Whether nothing waits at a fence, and what was sealed is gone. */
  private boolean lanesAreTidy() {
    return lanes().allMatch(lane -> lane.isOpen() && !lane.isSealRequested());
  }

  private Stream<Lane> lanes() {
    return Stream.of(giver, receiver).flatMap(shard -> Arrays.stream(shard.lanes()));
  }
}
