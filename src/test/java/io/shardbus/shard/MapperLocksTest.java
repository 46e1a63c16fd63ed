package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.shardbus.event.BatchIngestResult;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Code that has a shard's consumer side, or is told of events, calls the engine. */
@Tag("hot")
class MapperLocksTest {

  private final ShardManager manager =
      new ShardManager(
          4,
          1024,
          BackpressureMode.FAIL_PRODUCER,
          ScalingPolicy.defaults(8).setCooldown(Duration.ZERO),
          ShardLimits.DEFAULT,
          System::nanoTime);

  /** What the code does that has the consumer side of shard 0. */
  enum Call {
    ADD(engine -> engine.addShardForce()),
    ACTIVATE(
        engine -> {
          engine.activateShard(engine.addShardForce());
          return 0;
        }),
    DRAIN(
        engine -> {
          engine.drainShard(2);
          return 0;
        }),
    REMOVE(engine -> engine.removeShard(1)),
    REMOVE_ITSELF_AND_MORE(
        engine -> {
          engine.removeShard(0);
          return engine.removeShard(1);
        }),
    FINALIZE(engine -> engine.mapper().orElseThrow().finalizeDraining()),
    COLLECT(ShardManager::collectMetrics),
    CLOSE(ShardManager::close);

    @SuppressWarnings("ImmutableEnumChecker") // none of them has a state
    final Function<ShardManager, Object> action;

    Call(Function<ShardManager, Object> action) {
      this.action = action;
    }
  }

  @ParameterizedTest
  @EnumSource
  void callWithinWithShard_doesNotWaitForWhoeverRemovesThatShard(Call call) throws Exception {
    manager.drainShard(1);
    push();
    manager.drainShard(0);
    CompletableFuture<Object> called = new CompletableFuture<>();
    CompletableFuture<List<ShardEvent>> removed = new CompletableFuture<>();
    Thread remover = daemon(() -> complete(removed, () -> manager.removeShard(0)));
    daemon(
            () ->
                manager.withShard(
                    0,
                    shard -> {
                      remover.start();
                      await().until(() -> remover.getState() == Thread.State.WAITING);
                      complete(called, () -> call.action.apply(manager));
                      return null;
                    }))
        .start();
    assertThat(called.get(10, TimeUnit.SECONDS)).isNotNull();
    if (call == Call.REMOVE_ITSELF_AND_MORE) {
      assertThat(removed)
          .failsWithin(Duration.ofSeconds(10))
          .withThrowableOfType(ExecutionException.class)
          .withMessageContaining("shard 0 does not exist");
    } else {
      assertThat(removed.get(10, TimeUnit.SECONDS)).isNotEmpty();
    }
    assertThat(manager.shard(0)).isEmpty();
  }

  private void push() {
    IntStream.range(0, 400)
        .forEach(i -> manager.ingestRaw(RawEvent.of(Buffer.buffer("{}"), "key " + i)));
  }

  private static Thread daemon(Runnable code) {
    Thread thread = new Thread(code);
    thread.setDaemon(true);
    return thread;
  }

  private interface Code<T> {
    T run() throws Exception;
  }

  private static <T> void complete(CompletableFuture<T> result, Code<T> code) {
    try {
      result.complete(code.run());
    } catch (Throwable e) {
      result.completeExceptionally(e);
    }
  }

  @Test
  void listenerThatHangs_holdsUpItsCallerAlone() throws Exception {
    ShardMapper mapper = manager.mapper().orElseThrow();
    CountDownLatch end = new CountDownLatch(1);
    List<Thread> callers = new ArrayList<>();
    IntConsumer hangs =
        id -> {
          if (callers.contains(Thread.currentThread())) {
            await().forever().until(() -> end.getCount() == 0);
          }
        };
    mapper.onShardCreated(hangs);
    mapper.onShardRemoved(hangs);
    push();
    manager.drainShard(1);
    manager.shards().forEach(shard -> shard.popBatch(1024));
    CompletableFuture<Integer> added = new CompletableFuture<>();
    CompletableFuture<List<ShardEvent>> removed = new CompletableFuture<>();
    callers.add(daemon(() -> complete(added, manager::addShardForce)));
    callers.add(daemon(() -> complete(removed, () -> manager.removeShard(1))));
    callers.forEach(Thread::start);
    await().until(() -> manager.shard(1).isEmpty() && manager.shard(4).isPresent());
    manager.activateShard(4);
    manager.activateShard(manager.addShardForce());
    push();
    manager.drainShard(2);
    manager.shards().forEach(shard -> shard.popBatch(1024));
    manager.removeShard(2);
    manager.close();
    for (int i = 0; i < 3; i++) {
      manager.shards().forEach(shard -> shard.popBatch(1024));
    }
    assertThat(manager.accounting().pending()).isZero();
    assertThat(added).isNotDone();
    assertThat(removed).isNotDone();
    end.countDown();
    assertThat(added.get(10, TimeUnit.SECONDS)).isEqualTo(4);
    assertThat(removed.get(10, TimeUnit.SECONDS)).isEmpty();
  }

  /** It is pushed by the last table, although the closed engine has none. */
  @Test
  void shardThatLeavesAClosedEngine_waitsForTheBatchUnderWay() throws Exception {
    List<RawEvent> events =
        IntStream.range(0, 200)
            .mapToObj(i -> RawEvent.of(Buffer.buffer("{}"), "key " + i))
            .toList();
    CountDownLatch underWay = new CountDownLatch(1);
    CompletableFuture<Void> goOn = new CompletableFuture<>();
    List<RawEvent> batch =
        new AbstractList<>() {
          private int reads;

          @Override
          public RawEvent get(int index) {
            if (++reads > size()) { // they were looked through, and are pushed now
              underWay.countDown();
              goOn.join();
            }
            return events.get(index);
          }

          @Override
          public int size() {
            return events.size();
          }
        };
    CompletableFuture<BatchIngestResult> pushed = new CompletableFuture<>();
    CompletableFuture<Object> drained = new CompletableFuture<>();
    daemon(() -> complete(pushed, () -> manager.ingestRawBatch(batch))).start();
    underWay.await();
    manager.refuseAll();
    daemon(() -> complete(drained, () -> Call.DRAIN.action.apply(manager))).start();
    assertThat(drained).failsWithin(Duration.ofSeconds(1));
    goOn.complete(null);
    assertThat(pushed.get(10, TimeUnit.SECONDS).accepted()).isEqualTo(200);
    assertThat(drained).succeedsWithin(Duration.ofSeconds(10));
  }

  /** An ack may wait for somebody who waits for the engine. */
  @Test
  void acksOfLeftovers_areToldWithoutALock() {
    List<Object> answers = new ArrayList<>();
    DeliveryAck ack =
        new DeliveryAck() {
          @Override
          public void delivered(int events) {
            CompletableFuture<Object> other = new CompletableFuture<>();
            daemon(() -> complete(other, manager::addShardForce)).start();
            try {
              answers.add(other.get(10, TimeUnit.SECONDS));
            } catch (InterruptedException | ExecutionException | TimeoutException e) {
              answers.add(e);
            }
          }

          @Override
          public void failed(Outcome failure, int events) {
            answers.add(failure);
          }
        };
    RawEvent event = RawEvent.of(Buffer.buffer("{}"), "key");
    int owner = manager.selectShard(event);
    manager.ingestRaw(event, ack);
    manager.drainShard(owner);
    assertThat(manager.removeShard(owner)).hasSize(1);
    assertThat(answers).containsExactly(4);
  }

  /** Whoever changes the table reads the clock in the middle of it. */
  @Test
  void closeInTheMiddleOfAChange_fitsIn() {
    int calls = Integer.MAX_VALUE;
    for (int at = 1; at < calls; at++) {
      AtomicInteger clock = new AtomicInteger();
      int closesAt = at;
      ShardManager[] closing = new ShardManager[1];
      ShardManager engine =
          new ShardManager(
              2,
              1024,
              BackpressureMode.FAIL_PRODUCER,
              ScalingPolicy.defaults(8).setCooldown(Duration.ZERO),
              ShardLimits.DEFAULT,
              System::nanoTime,
              () -> {
                if (closing[0] != null && clock.incrementAndGet() == closesAt) {
                  closing[0].refuseAll();
                }
                return 10_000_000_000L * clock.get();
              });
      for (int i = 0; i < 400; i++) {
        engine.ingestRaw(RawEvent.of(Buffer.buffer("{}"), "key " + i % 7));
      }
      engine.shards().forEach(shard -> shard.popBatch(400));
      closing[0] = engine;
      int newcomer = engine.addShardForce();
      try {
        engine.activateShard(newcomer);
        engine.collectMetrics();
        engine.collectMetrics();
        engine.drainShard(0);
      } catch (ScalingException e) {
        assertThat(e).hasMessage("the bus is closed");
      }
      engine.collectMetrics();
      assertThat(engine.mapper().orElseThrow().slotsByShard().values()).isNotNull();
      if (!engine.isClosed()) {
        calls = at;
      }
    }
  }
}
