package io.shardbus.shard;

import io.shardbus.event.ShardEvent;
import java.util.List;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * The races of keys that move from shard to shard, on the shipped classes. Each state begins with
 * an event of a key that moves and one of a key that stays. Two actors each, since jcstress leaves
 * out what needs more processors than there are.
 */
final class LaneStress {

  private LaneStress() {}

  private static Movers movers(BackpressureMode mode) {
    Movers movers = new Movers(mode);
    movers.push(Movers.MOVES, 0);
    movers.push(Movers.STAYS, 0);
    return movers;
  }

  private static Movers movers() {
    return movers(BackpressureMode.FAIL_PRODUCER);
  }

  // ---------------------------------------------------------------- turn-over against push

  /** Single events, of a key that moves and of one that stays. */
  @JCStressTest
  @Outcome(id = "3, 1, 1", expect = Expect.ACCEPTABLE, desc = "all are had, in order")
  @Outcome(expect = Expect.FORBIDDEN, desc = "an event is lost, stranded or out of order")
  @State
  public static class TurnOverAgainstPush {

    private final Movers movers = movers();
    private int accepted;

    @Actor
    public void producer() {
      accepted =
          movers.push(Movers.MOVES, 1)
              + movers.push(Movers.STAYS, 1)
              + movers.push(Movers.MOVES, 2);
    }

    @Actor
    public void scaler() {
      movers.move();
    }

    @Arbiter
    public void check(III_Result r) {
      r.r1 = accepted;
      r.r2 = movers.takeAll();
      r.r3 = movers.verdict(2 + accepted);
    }
  }

  /** A producer that hands the key over to another one. */
  @JCStressTest
  @Outcome(id = "2, 1, 1", expect = Expect.ACCEPTABLE, desc = "both are had, in order")
  @Outcome(
      id = "1, 1, 1",
      expect = Expect.ACCEPTABLE,
      desc = "the second came first and was not pushed")
  @Outcome(expect = Expect.FORBIDDEN, desc = "an event is lost, stranded or out of order")
  @State
  public static class TurnOverAgainstTwoProducers {

    private final Movers movers = movers();
    private volatile boolean handedOver;
    private int first;
    private int second;

    @Actor
    public void producer1() {
      first = movers.push(Movers.MOVES, 1);
      handedOver = true;
    }

    @Actor
    public void scalerThenProducer2() {
      movers.move();
      second = handedOver ? movers.push(Movers.MOVES, 2) : 0;
    }

    @Arbiter
    public void check(III_Result r) {
      r.r1 = first + second;
      r.r2 = movers.takeAll();
      r.r3 = movers.verdict(2 + r.r1);
    }
  }

  /** A batch with events of both keys. */
  @JCStressTest
  @Outcome(id = "5, 1, 1", expect = Expect.ACCEPTABLE, desc = "all are had, in order")
  @Outcome(expect = Expect.FORBIDDEN, desc = "an event is lost, stranded or out of order")
  @State
  public static class TurnOverAgainstBatch {

    private final Movers movers = movers();
    private int accepted;

    @Actor
    public void producer() {
      accepted =
          movers.pushBatch(
              Movers.event(Movers.MOVES, 1),
              Movers.event(Movers.STAYS, 1),
              Movers.event(Movers.MOVES, 2),
              Movers.event(Movers.STAYS, 2),
              Movers.event(Movers.MOVES, 3));
    }

    @Actor
    public void scaler() {
      movers.move();
    }

    @Arbiter
    public void check(III_Result r) {
      r.r1 = accepted;
      r.r2 = movers.takeAll();
      r.r3 = movers.verdict(2 + accepted);
    }
  }

  /** A push that has to make room in a full ring, if it still finds that. */
  @JCStressTest
  @Outcome(id = "2, 1, 1", expect = Expect.ACCEPTABLE, desc = "each was had or evicted, in order")
  @Outcome(expect = Expect.FORBIDDEN, desc = "an event is lost, stranded or out of order")
  @State
  public static class TurnOverAgainstEviction {

    private final Movers movers = movers(BackpressureMode.DROP_OLDEST);
    private int accepted;

    public TurnOverAgainstEviction() {
      for (int i = 1; i < Movers.CAPACITY - 1; i++) {
        movers.push(Movers.STAYS, i);
      }
    }

    @Actor
    public void producer() {
      accepted = movers.push(Movers.MOVES, 1) + movers.push(Movers.STAYS, Movers.CAPACITY);
    }

    @Actor
    public void scaler() {
      movers.move();
    }

    @Arbiter
    public void check(III_Result r) {
      r.r1 = accepted;
      r.r2 = movers.takeAll();
      r.r3 = movers.verdict(Movers.CAPACITY + accepted);
    }
  }

  /** Pushes into a ring that takes one of three. */
  @JCStressTest
  @Outcome(
      id = "[123], 1, 1",
      expect = Expect.ACCEPTABLE,
      desc = "what was accepted is had, in order")
  @Outcome(expect = Expect.FORBIDDEN, desc = "an event is lost, stranded or out of order")
  @State
  public static class TurnOverAgainstSampling {

    private final Movers movers = movers(BackpressureMode.sample(3));
    private final int before;
    private int accepted;

    public TurnOverAgainstSampling() {
      int pushed = 2;
      for (int i = 1; i < Movers.CAPACITY; i++) {
        pushed += movers.push(Movers.STAYS, i);
      }
      before = pushed;
    }

    @Actor
    public void producer() {
      accepted =
          movers.push(Movers.MOVES, 1)
              + movers.push(Movers.MOVES, 2)
              + movers.push(Movers.MOVES, 3);
    }

    @Actor
    public void scaler() {
      movers.move();
    }

    @Arbiter
    public void check(III_Result r) {
      r.r1 = accepted;
      r.r2 = movers.takeAll();
      r.r3 = movers.verdict(before + accepted);
    }
  }

  /** Events above 1 KiB, whose bytes are counted. */
  @JCStressTest
  @Outcome(
      id = "3, 1, 1",
      expect = Expect.ACCEPTABLE,
      desc = "all are had, in order, no byte is left")
  @Outcome(expect = Expect.FORBIDDEN, desc = "an event is lost, stranded or out of order")
  @State
  public static class TurnOverAgainstLargeEvents {

    private final Movers movers = movers();
    private int accepted;

    @Actor
    public void producer() {
      accepted =
          movers.push(Movers.largeEvent(Movers.MOVES, 1))
              + movers.push(Movers.largeEvent(Movers.STAYS, 1))
              + movers.push(Movers.largeEvent(Movers.MOVES, 2));
    }

    @Actor
    public void scaler() {
      movers.move();
    }

    @Arbiter
    public void check(III_Result r) {
      r.r1 = accepted;
      r.r2 = movers.takeAll();
      r.r3 = movers.verdict(2 + accepted);
    }
  }

  /** Keys that leave a shard and come back to it at once. */
  @JCStressTest
  @Outcome(id = "3, 1, 1", expect = Expect.ACCEPTABLE, desc = "all are had, in order")
  @Outcome(expect = Expect.FORBIDDEN, desc = "an event is lost, stranded or out of order")
  @State
  public static class ThereAndBackAgainstPush {

    private final Movers movers = movers();
    private int accepted;

    @Actor
    public void producer() {
      accepted =
          movers.push(Movers.MOVES, 1)
              + movers.push(Movers.MOVES, 2)
              + movers.push(Movers.MOVES, 3);
    }

    @Actor
    public void scaler() {
      movers.move();
      movers.moveBack();
    }

    @Arbiter
    public void check(III_Result r) {
      r.r1 = accepted;
      r.r2 = movers.takeAll();
      r.r3 = movers.verdict(2 + accepted);
    }
  }

  /** Keys that follow the load, as at the end of a metrics window. */
  @JCStressTest
  @Outcome(id = "3, 1, 1", expect = Expect.ACCEPTABLE, desc = "all are had, in order")
  @Outcome(expect = Expect.FORBIDDEN, desc = "an event is lost, stranded or out of order")
  @State
  public static class MoveByLoadAgainstPush {

    private final Movers movers = movers();
    private final List<ShardLoad> window;
    private int accepted;

    /** The receiver has too much, and the time for its turn-over has come. */
    public MoveByLoadAgainstPush() {
      movers.move();
      movers.push(Movers.MOVES, 1);
      DrainCapacity.Estimate capacity = new DrainCapacity.Estimate(1000, 1);
      window =
          List.of(
              new ShardLoad(movers.giver, true, 1, capacity, 0, 0, false, 0, 0),
              new ShardLoad(movers.receiver, true, 999, capacity, 0, 0, false, 0, 0));
    }

    @Actor
    public void producerAndConsumer() {
      accepted = movers.push(Movers.MOVES, 2);
      movers.take();
      accepted += movers.push(Movers.STAYS, 1) + movers.push(Movers.MOVES, 3);
    }

    @Actor
    public void balancer() {
      movers.manager.mapper().orElseThrow().rebalance(window);
    }

    @Arbiter
    public void check(III_Result r) {
      r.r1 = accepted;
      r.r2 = movers.takeAll();
      r.r3 = movers.verdict(3 + accepted);
    }
  }

  // ---------------------------------------------------------------- turn-over against the consumer

  /** Push and take while keys move. */
  @JCStressTest
  @Outcome(id = "2, 1, 1", expect = Expect.ACCEPTABLE, desc = "all are had, in order")
  @Outcome(expect = Expect.FORBIDDEN, desc = "an event is lost, stranded or out of order")
  @State
  public static class TurnOverAgainstPopBatch {

    private final Movers movers = movers();
    private int accepted;

    @Actor
    public void producerAndConsumer() {
      accepted = movers.push(Movers.MOVES, 1);
      movers.take();
      accepted += movers.push(Movers.STAYS, 1);
      movers.take();
    }

    @Actor
    public void scaler() {
      movers.move();
    }

    @Arbiter
    public void check(III_Result r) {
      r.r1 = accepted;
      r.r2 = movers.takeAll();
      r.r3 = movers.verdict(2 + accepted);
    }
  }

  /** What the giver's consumer holds is not settled: the fence stays closed for so long. */
  @JCStressTest
  @Outcome(id = "0, 1, 1", expect = Expect.ACCEPTABLE, desc = "the key waited, and was had then")
  @Outcome(expect = Expect.FORBIDDEN, desc = "the fence opened too early, or never")
  @State
  public static class TurnOverAgainstDrain {

    private final Movers movers = movers();
    private final DrainBuffer held = new DrainBuffer(0, 4);

    @Actor
    public void consumer() {
      if (movers.giver.tryDrain(held, 10, Long.MAX_VALUE) < 0) {
        movers.giver.tryDrain(held, 10, Long.MAX_VALUE);
      }
    }

    @Actor
    public void scalerThenProducer() {
      movers.move();
      movers.push(Movers.MOVES, 1);
    }

    @Arbiter
    public void check(III_Result r) {
      movers.giver.tryDrain(held, 10, Long.MAX_VALUE); // all that it has
      List<ShardEvent> early = movers.receiver.popBatch(10);
      r.r1 = early.size();
      movers.note(held.events());
      movers.note(early);
      movers.giver.settle(held.size(), 0);
      movers.giver.settledBelow(Long.MAX_VALUE);
      r.r2 = movers.takeAll();
      r.r3 = movers.verdict(3);
    }
  }

  /** The giver's consumer goes to sleep: its main lane is a new one, which opens by the seal. */
  @JCStressTest
  @Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "nothing is left once all slept")
  @Outcome(expect = Expect.FORBIDDEN, desc = "asleep beside an event")
  @State
  public static class TurnOverAgainstSleep {

    private final Movers movers = movers();
    private final Sleeper sleeper = new Sleeper(movers, movers.giver);

    @Actor
    public void consumer() {
      sleeper.turn();
    }

    @Actor
    public void scalerThenProducer() {
      movers.move();
      movers.push(Movers.STAYS, 1);
    }

    @Arbiter
    public void check(II_Result r) {
      sleeper.finish();
      r.r1 = movers.giver.size();
      r.r2 = movers.giver.laneCount();
    }
  }

  /** A close in the middle: what was accepted is had, and all lanes end. */
  @JCStressTest
  @Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "all is had, and no lane is left")
  @Outcome(expect = Expect.FORBIDDEN, desc = "an event is lost, stranded or out of order")
  @State
  public static class TurnOverAgainstClose {

    private final Movers movers = movers();
    private int accepted;

    @Actor
    public void scalerAndProducer() {
      accepted = movers.push(Movers.MOVES, 1);
      try {
        movers.move();
      } catch (ScalingException e) {
        // closed already
      }
      accepted += movers.push(Movers.MOVES, 2);
    }

    @Actor
    public void owner() {
      movers.manager.close();
    }

    @Arbiter
    public void check(II_Result r) {
      r.r1 = movers.takeAll() & movers.verdict(2 + accepted);
      r.r2 = movers.giver.laneCount() + movers.receiver.laneCount();
    }
  }

  // ---------------------------------------------------------------- a fence that opens

  /** Whoever pushes behind a fence that opens is drained, or wakes the consumer. */
  @JCStressTest
  @Outcome(id = "0", expect = Expect.ACCEPTABLE, desc = "nothing is left once all slept")
  @Outcome(expect = Expect.FORBIDDEN, desc = "asleep beside an event")
  @State
  public static class OpeningAgainstPush {

    private final Movers movers = movers();
    private final Sleeper sleeper = new Sleeper(movers, movers.receiver);

    /** The fence may be opened, and has not been. */
    public OpeningAgainstPush() {
      movers.move();
      movers.giver.popBatch(10);
      sleeper.forgetWakeUps();
    }

    @Actor
    public void producer() {
      movers.push(Movers.MOVES, 1);
    }

    @Actor
    public void consumer() {
      sleeper.turn();
    }

    @Arbiter
    public void check(I_Result r) {
      sleeper.finish();
      r.r1 = movers.receiver.size();
    }
  }

  /** As above, for a batch, which claims its places in the ring at once. */
  @JCStressTest
  @Outcome(id = "0", expect = Expect.ACCEPTABLE, desc = "nothing is left once all slept")
  @Outcome(expect = Expect.FORBIDDEN, desc = "asleep beside an event")
  @State
  public static class OpeningAgainstBatch {

    private final Movers movers = movers();
    private final Sleeper sleeper = new Sleeper(movers, movers.receiver);

    /** The fence may be opened, and has not been. */
    public OpeningAgainstBatch() {
      movers.move();
      movers.giver.popBatch(10);
      sleeper.forgetWakeUps();
    }

    @Actor
    public void producer() {
      movers.pushBatch(Movers.event(Movers.MOVES, 1), Movers.event(Movers.MOVES, 2));
    }

    @Actor
    public void consumer() {
      sleeper.turn();
    }

    @Arbiter
    public void check(I_Result r) {
      sleeper.finish();
      r.r1 = movers.receiver.size();
    }
  }

  /** The receiver's consumer goes to sleep while its fence opens. */
  @JCStressTest
  @Outcome(id = "0", expect = Expect.ACCEPTABLE, desc = "nothing is left once all slept")
  @Outcome(expect = Expect.FORBIDDEN, desc = "asleep beside an event")
  @State
  public static class OpeningAgainstSleep {

    private final Movers movers = movers();
    private final Sleeper sleeper = new Sleeper(movers, movers.receiver);

    public OpeningAgainstSleep() {
      movers.move();
      movers.push(Movers.MOVES, 1);
      sleeper.forgetWakeUps();
    }

    @Actor
    public void giversConsumer() {
      movers.giver.popBatch(10);
    }

    @Actor
    public void consumer() {
      sleeper.turn();
    }

    @Arbiter
    public void check(I_Result r) {
      sleeper.finish();
      r.r1 = movers.receiver.size();
    }
  }

  /** As a shard's pump: a turn drains and sleeps, a wake-up brings another turn. */
  private static final class Sleeper {

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
}
