package io.shardbus.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.IngestResult;
import io.shardbus.event.Outcome;
import io.shardbus.event.ProducerId;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.AllocationFaults;
import io.shardbus.shard.AllocationFaults.Seam;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.DeliveryAck;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardManager;
import io.shardbus.sink.DeadLetter;
import io.shardbus.sink.DeadLetters.Kept;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Memory runs out once, at each place in turn where the classes of the delivery make an object, the
 * first and the second time: nothing is lost, and every caller has an answer.
 */
@Tag("once")
class DeliveryMemoryTest {

  private static final int EVENTS = 8;
  private static final Vertx VERTX = Vertx.vertx();

  /** What is done while memory runs out. */
  private enum Step {
    KEEP_LETTERS,
    REARRANGE_WHAT_WAITS,
    CARRY_OUT_REQUESTS,
    SCALE,
    REDEPLOY,
    WRITE,
    WRITE_AGAIN,
    WRITE_THE_REST,
    FIND_THE_EVENT_TO_BLAME
  }

  @AfterAll
  static void close() {
    VERTX.close().await();
  }

  @ParameterizedTest
  @EnumSource
  void step_losesNothingAndEnds(Step step) throws Exception {
    var round = new AllocationFaults("io.shardbus.delivery.").rounds(TestRound.class, VERTX);
    BitSet places = new BitSet();
    for (int i = 0; i < 3; i++) { // the first loads classes
      round.accept(step.name(), new int[] {-1, 0});
      places.or(Seam.end());
    }
    assertThat(places.cardinality()).isGreaterThan(1);
    List<String> failed = new ArrayList<>();
    for (int place : places.stream().toArray()) {
      for (int time = 1; time <= 2; time++) {
        try {
          round.accept(step.name(), new int[] {place, time});
        } catch (Throwable e) {
          failed.add(place + ", time " + time + ": " + e);
        }
      }
    }
    assertThat(failed).isEmpty();
    System.out.println(step + ": memory ran out at " + places.cardinality() + " places");
  }

  /** Is loaded by {@link AllocationFaults}, so that it sees the classes that run out of memory. */
  static final class TestRound implements BiConsumer<String, int[]> {

    private final Vertx vertx;
    private int[] at;

    TestRound(Vertx vertx) {
      this.vertx = vertx;
    }

    @Override
    public void accept(String name, int[] when) {
      at = when;
      Step step = Step.valueOf(name);
      switch (step) {
        case KEEP_LETTERS -> keepLetters();
        case REARRANGE_WHAT_WAITS -> rearrange();
        case CARRY_OUT_REQUESTS -> carryOutRequests();
        case SCALE -> scale();
        case REDEPLOY -> redeploy();
        default -> write(step);
      }
    }

    /** Whether memory was there. */
    private boolean starved(Runnable action) {
      Seam.begin(at[0], at[1]);
      try {
        action.run();
        return true;
      } catch (OutOfMemoryError e) {
        return false;
      } finally {
        Seam.end();
      }
    }

    private static void await(Callable<Boolean> condition) {
      Awaitility.await()
          .atMost(Duration.ofSeconds(30))
          .pollInterval(Duration.ofMillis(1))
          .until(condition);
    }

    private static DeadLetter letter(int number) {
      ShardEvent event = new ShardEvent(0, number, number, Buffer.buffer("e" + number), null);
      return new DeadLetter(new ProducerId("p", 1), event, "no", 1, 0);
    }

    private void keepLetters() {
      LetterMemory memory = new LetterMemory();
      List<DeadLetter> letters = IntStream.range(0, EVENTS).mapToObj(TestRound::letter).toList();
      if (!starved(() -> memory.add(letters))) {
        memory.add(letters);
      }
      assertThat(memory.list(0, 100)).extracting(Kept::letter).hasSameElementsAs(letters);
      assertThat(memory.kept()).isEqualTo(EVENTS);
    }

    private void rearrange() {
      ShardManager manager =
          ShardManager.withMapper(
              1,
              1024,
              BackpressureMode.FAIL_PRODUCER,
              new ScalingPolicy().setMaxShards(2).setCooldown(Duration.ZERO));
      while (manager.ingestRaw(RawEvent.of("filler")).accepted()) {
        // one more
      }
      WaitingRoom room = new WaitingRoom(vertx, manager);
      List<IngestResult> results = Collections.synchronizedList(new ArrayList<>());
      for (int i = 0; i < EVENTS; i++) {
        room.ingest(RawEvent.of("event " + i), null, results::add);
      }
      int expected = EVENTS;
      synchronized (room) { // no retry comes between
        manager.activateShard(manager.addShardForce());
        RawEvent last = RawEvent.of("event " + EVENTS);
        expected += starved(() -> room.ingest(last, null, results::add)) ? 1 : 0;
      }
      Set<String> taken = new HashSet<>();
      await(
          () -> {
            manager.shards().forEach(shard -> take(shard, taken));
            return room.waiting() == 0 && manager.allShardsEmpty();
          });
      // What was taken, but for its answer, may have been lost on the way to its caller.
      assertThat(results).hasSizeBetween(expected, EVENTS + 1).allMatch(IngestResult::accepted);
      assertThat(taken).hasSize(results.size() + 1); // and the filler
    }

    private static void take(Shard shard, Set<String> taken) {
      shard.popBatch(1024).forEach(event -> taken.add(event.payload().toString()));
    }

    private void carryOutRequests() {
      Turns turns = new Turns();
      List<Future<String>> answers = new ArrayList<>();
      Promise<String> first = Promise.promise();
      starved(
          () -> {
            answers.add(turns.take(first::future));
            for (int i = 0; i < 2; i++) {
              answers.add(turns.take(() -> Future.succeededFuture("done")));
            }
            first.complete("done");
            settle(answers);
          });
      first.tryComplete("done");
      answers.add(turns.take(() -> Future.succeededFuture("done")));
      await(() -> answers.stream().allMatch(Future::isComplete));
      assertThat(answers.get(answers.size() - 1).result()).isEqualTo("done");
    }

    /** Gives other threads time to run out of memory. */
    private static void settle(List<? extends Future<?>> answers) {
      try {
        Future.join(new ArrayList<>(answers)).otherwiseEmpty().await(20, TimeUnit.MILLISECONDS);
      } catch (java.util.concurrent.TimeoutException e) {
        // it goes on once there is memory
      }
    }

    private ShardDeployments deployments(RecordingSink sink) {
      return new ShardDeployments(
          vertx,
          sink,
          letters -> Future.succeededFuture(),
          new ProducerId("p", 1),
          new BatchOptions(),
          new RetryOptions(),
          new DeliveryObservers());
    }

    private void scale() {
      Set<String> before = Set.copyOf(vertx.deploymentIDs());
      ShardManager manager =
          ShardManager.withMapper(
              1,
              1024,
              BackpressureMode.FAIL_PRODUCER,
              new ScalingPolicy().setMaxShards(64).setCooldown(Duration.ZERO).setAutoScale(false));
      ShardDeployments deployments = deployments(new RecordingSink());
      manager.shards().forEach(deployments::deploy);
      await(() -> vertx.deploymentIDs().size() > before.size());
      Scaler scaler = new Scaler(manager, deployments);
      List<Future<?>> answers = new ArrayList<>();
      starved(
          () -> {
            answers.add(scaler.scaleUp(2));
            settle(answers);
            answers.add(scaler.scaleDown(1));
            answers.add(scaler.tick());
            settle(answers);
          });
      Future<List<Integer>> again = scaler.scaleUp(1);
      await(again::isComplete);
      manager.addShardForce(); // to be adopted
      assertThat(again.failed() ? again.cause() : null).isNull();
      await(
          () -> {
            Future<?> tick = scaler.tick();
            await(tick::isComplete);
            return manager.shards().size() == manager.numShards()
                && manager.shards().stream().allMatch(shard -> deployments.has(shard.id()));
          });
      await(() -> answers.stream().allMatch(Future::isComplete));
      manager.close();
      Future<Void> end = deployments.undeployAll();
      await(end::isComplete);
      await(() -> before.containsAll(vertx.deploymentIDs())); // no verticle is left
    }

    private void redeploy() {
      Set<String> before = Set.copyOf(vertx.deploymentIDs());
      ShardManager manager = new ShardManager(1, 1024, BackpressureMode.FAIL_PRODUCER);
      RecordingSink sink = new RecordingSink();
      ShardDeployments deployments = deployments(sink);
      await(deployments.deploy(manager.shards().get(0))::isComplete);
      starved(
          () -> {
            Future<Void> stopped =
                vertx.undeploy(
                    vertx.deploymentIDs().stream()
                        .filter(id -> !before.contains(id))
                        .findAny()
                        .orElseThrow());
            settle(List.of(stopped));
            settle(List.of(Promise.promise().future()));
          });
      manager.ingestRaw(RawEvent.of("event"));
      await(() -> sink.count() == 1);
      Future<Void> end = deployments.undeployAll();
      await(end::isComplete);
      await(() -> before.containsAll(vertx.deploymentIDs())); // no verticle is left
    }

    private void write(Step step) {
      ShardManager manager = new ShardManager(1, 1024, BackpressureMode.FAIL_PRODUCER);
      Shard shard = manager.shard(0).orElseThrow();
      RecordingSink sink = new RecordingSink();
      Set<Long> letters = new HashSet<>();
      ManualLoop loop = new ManualLoop();
      ShardPump pump =
          new ShardPump(
              shard,
              sink,
              more -> {
                more.forEach(letter -> letters.add(letter.event().sequence()));
                return Future.succeededFuture();
              },
              new ProducerId("p", 1),
              new BatchOptions(),
              new RetryOptions(),
              new DeliveryObservers());
      AtomicInteger writes = new AtomicInteger();
      BitSet some = BitSet.valueOf(new long[] {0b1010});
      sink.behave(
          batch -> {
            boolean first = writes.incrementAndGet() == 1;
            boolean bad = batch.events().stream().anyMatch(event -> event.sequence() == 3);
            return switch (step) {
              case WRITE_AGAIN -> first ? Future.failedFuture("busy") : Future.succeededFuture();
              case WRITE_THE_REST ->
                  first
                      ? Future.failedFuture(SinkException.partial(some, new Exception("busy")))
                      : Future.succeededFuture();
              case FIND_THE_EVENT_TO_BLAME ->
                  bad
                      ? Future.failedFuture(SinkException.permanentFailure("bad"))
                      : Future.succeededFuture();
              default -> Future.succeededFuture();
            };
          });
      pump.attach(loop);
      loop.run();
      List<AtomicInteger> told = new ArrayList<>();
      List<Future<Void>> flushes = new ArrayList<>();
      for (int i = 0; i < EVENTS; i++) {
        AtomicInteger fate = new AtomicInteger();
        told.add(fate);
        manager.ingestRaw(RawEvent.of("event " + i), new CountingAck(fate));
      }
      starved(
          () -> {
            flushes.add(pump.flush());
            loop.pass(Duration.ofSeconds(1));
          });
      await(
          () -> {
            loop.pass(Duration.ofSeconds(1));
            return shard.accounting().pending() == 0
                && flushes.stream().allMatch(Future::isComplete);
          });
      assertThat(told).allMatch(fate -> fate.get() == 1);
      Set<Long> all = new HashSet<>(letters);
      sink.all().forEach(event -> all.add(event.sequence()));
      assertThat(all).hasSize(EVENTS);
      boolean blames = step == Step.FIND_THE_EVENT_TO_BLAME;
      assertThat(letters).isEqualTo(blames ? Set.of(3L) : Set.of());
      assertThat(shard.accounting().deadLettered()).isEqualTo(blames ? 1 : 0);
    }
  }

  private record CountingAck(AtomicInteger fate) implements DeliveryAck {

    @Override
    public void delivered(int events) {
      fate.addAndGet(events);
    }

    @Override
    public void failed(Outcome why, int events) {
      fate.addAndGet(events);
    }
  }
}
