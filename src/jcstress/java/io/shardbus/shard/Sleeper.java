package io.shardbus.shard;

/** As a shard's pump: a turn drains and sleeps, a wake-up brings another turn. */
final class Sleeper {

  private final Movers movers;
  private final Shard shard;
  private volatile boolean woken;

  Sleeper(Movers movers, Shard shard) {
    this.movers = movers;
    this.shard = shard;
    shard.attachConsumer(() -> woken = true);
    woken = false;
  }

  void forgetWakeUps() {
    while (!shard.trySleep(1)) {
      turn();
    }
    woken = false;
  }

  void turn() {
    woken = false;
    DrainBuffer buffer;
    do {
      do {
        buffer = new DrainBuffer(shard.id(), 4);
        int taken = shard.tryDrain(buffer, 10, Long.MAX_VALUE);
        if (taken < 0) {
          return; // whoever has the consumer side brings the next turn
        }
        movers.note(buffer.events());
        shard.settle(buffer.size(), 0);
        shard.settledBelow(Long.MAX_VALUE);
      } while (buffer.size() > 0);
    } while (!shard.trySleep(1));
  }

  void finish() {
    while (woken) {
      turn();
    }
  }
}
