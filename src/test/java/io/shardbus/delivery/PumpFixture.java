package io.shardbus.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.RawEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardAccounting;
import io.shardbus.shard.ShardManager;
import io.shardbus.sink.DeadLetter;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.List;

/** A pump on a loop that the test runs by hand. */
abstract class PumpFixture {

  final ShardManager manager = new ShardManager(1, 1024, BackpressureMode.FAIL_PRODUCER);
  final Shard shard = manager.shard(0).orElseThrow();
  final List<Batch> writes = new ArrayList<>();
  final RecordingSink sink = new RecordingSink();
  final BatchOptions batch = new BatchOptions();
  final RetryOptions delivery = new RetryOptions();
  final List<DeadLetter> letters = new ArrayList<>();
  Future<Void> deadLetterAnswer = Future.succeededFuture();
  final DeliveryObservers observers = new DeliveryObservers();
  ManualLoop loop = new ManualLoop();
  ShardPump pump;
  int sent;

  void start() {
    pump = newPump();
    pump.attach(loop);
    loop.run();
  }

  ShardPump newPump() {
    return new ShardPump(
        shard, sink, this::keep, new ProducerId("p", 1), batch, delivery, observers);
  }

  Future<Void> keep(List<DeadLetter> more) {
    return deadLetterAnswer.onSuccess(done -> letters.addAll(more));
  }

  void send(int count) {
    for (int i = 0; i < count; i++) {
      assertThat(manager.ingestRaw(RawEvent.of("event " + sent++)).accepted()).isTrue();
    }
  }

  List<String> delivered() {
    return sink.ofShard(0).stream().map(e -> e.payload().toString()).toList();
  }

  List<String> events(int from, int to) {
    List<String> all = new ArrayList<>();
    for (int i = from; i < to; i++) {
      all.add("event " + i);
    }
    return all;
  }

  void assertBalanced() {
    ShardAccounting a = shard.accounting();
    assertThat(a.accepted())
        .isEqualTo(
            a.delivered() + a.evicted() + a.deadLettered() + a.pendingInRing() + a.inFlight());
    assertThat(sink.faults()).isEmpty();
  }

  Future<Void> record(Batch written) {
    writes.add(written);
    return Future.succeededFuture();
  }
}
