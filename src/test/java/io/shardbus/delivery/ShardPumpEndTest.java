package io.shardbus.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.DeliveryAck;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** A pump that ends, or goes on on another loop. */
class ShardPumpEndTest extends PumpFixture {

  @Test
  void detached_keepsWhatItDrainedForTheNextLoop() {
    Promise<Void> gate = Promise.promise();
    batch.setMinSize(1).setMaxSize(10);
    sink.behave(b -> gate.future());
    start();
    send(100);
    loop.run();
    Future<Void> detached = pump.detach();
    loop.run();
    assertThat(detached.isComplete()).as("a write is under way").isFalse();
    gate.fail("the sink went away");
    loop.run();
    assertThat(detached.succeeded()).isTrue();
    send(10);
    loop.pass(Duration.ofMinutes(1));
    assertThat(sink.count()).isZero();
    loop = new ManualLoop();
    sink.behave(this::record);
    pump.attach(loop);
    loop.pass(Duration.ofSeconds(1));
    assertThat(delivered()).isEqualTo(events(0, 110));
    assertBalanced();
  }

  @Test
  void timerOfTheLoopBefore_isNotTrusted() {
    batch.setAdaptive(false).setMinSize(10).setMaxDelay(Duration.ofSeconds(2));
    sink.hang();
    start();
    send(10);
    loop.run();
    send(3);
    loop.run();
    pump.detach();
    sink.heal();
    loop.run();
    loop = new ManualLoop();
    sink.behave(this::record);
    pump.attach(loop);
    loop.pass(Duration.ofSeconds(3));
    assertThat(delivered()).isEqualTo(events(0, 13));
  }

  @Test
  void end_tellsAllWhoWait() {
    List<Outcome> failures = new ArrayList<>();
    DeliveryAck ack =
        new DeliveryAck() {
          @Override
          public void delivered(int events) {}

          @Override
          public void failed(Outcome failure, int events) {
            for (int i = 0; i < events; i++) {
              failures.add(failure);
            }
          }
        };
    batch.setAdaptive(false).setMinSize(10).setMaxSize(20);
    sink.hang();
    start();
    for (int i = 0; i < 50; i++) { // written, forming and in the ring
      manager.ingestRaw(RawEvent.of("event " + i), ack);
      if (i == 9) {
        loop.run();
      }
    }
    loop.run();
    Future<Void> flushed = pump.flush();
    Future<Void> ended = pump.end();
    Future<Void> flushedLate = pump.flush();
    loop.run();
    assertThat(ended.succeeded()).isTrue();
    assertThat(failures).hasSize(50).containsOnly(Outcome.UNKNOWN);
    assertThat(flushed.cause()).hasMessageContaining("50 events were not delivered");
    assertThat(flushedLate.failed()).isTrue();
    assertThat(pump.flush().failed()).isTrue();
    assertThat(shard.accounting().inFlight()).isEqualTo(50);
    sink.heal();
    loop.run();
    assertThat(failures).as("a late answer").hasSize(50);
    assertBalanced();
  }

  /** A bus may give up before a verticle has started. Its end was told, so it is not told again. */
  @Test
  void verticleThatComesAfterTheEnd_isRefused() {
    pump = newPump();
    assertThat(pump.end().succeeded()).isTrue();
    assertThatThrownBy(() -> pump.attach(loop)).hasMessageContaining("has ended");
    send(3);
    assertThat(loop.pendingTasks()).isZero();
    assertThat(pump.flush().failed()).isTrue();
    start();
    assertThat(delivered()).isEqualTo(events(0, 3));
  }

  @Test
  void end_whenAllIsDeliveredIsASuccess() {
    start();
    send(5);
    loop.run();
    pump.detach();
    Future<Void> flushed = pump.flush();
    assertThat(flushed.isComplete()).as("another loop may come").isFalse();
    pump.end();
    loop.run();
    assertThat(flushed.succeeded()).isTrue();
    assertThat(pump.flush().succeeded()).isTrue();
  }

  /** The rescue may have chosen its loop just before the verticle was deployed again elsewhere. */
  @Test
  void rescueOnTheLoopBefore_leavesTheNextLoopAlone() {
    ManualLoop before =
        new ManualLoop() {
          private boolean failed;

          @Override
          public void execute(Runnable task) {
            if (!failed) {
              failed = true;
              throw new OutOfMemoryError("no memory for a task");
            }
            super.execute(task);
          }
        };
    loop = before;
    start();
    send(1);
    Awaitility.await().until(() -> before.pendingTasks() > 0);
    pump.detach();
    sink.hang();
    loop = new ManualLoop();
    pump.attach(loop);
    loop.run();
    sink.heal();
    before.run();
    assertThat(shard.accounting().delivered()).as("the next loop has not run").isZero();
    loop.run();
    assertThat(shard.accounting().delivered()).isEqualTo(1);
    assertBalanced();
  }

  @Test
  void endOnTheLoopBefore_leavesTheNextLoopAlone() {
    ManualLoop before = loop;
    sink.hang();
    start();
    Future<Void> ended = pump.end();
    pump.detach();
    loop = new ManualLoop();
    pump.attach(loop);
    send(1);
    loop.run();
    before.run();
    assertThat(ended.isComplete()).as("the next loop has not run").isFalse();
    loop.run();
    assertThat(ended.succeeded()).isTrue();
    assertThat(loop.pendingTimers()).isZero();
    assertThat(shard.accounting().inFlight()).isEqualTo(1);
  }
}
