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

/**
 * The races of keys that move from shard to shard, on the shipped classes. Each state begins with
 * an event of a key that moves and one of a key that stays. Two actors each, since jcstress leaves
 * out what needs more processors than there are.
 */
final class LaneStress {

  private LaneStress() {}

  /** What all races begin with. */
  abstract static class Race {

    final Movers movers;

    Race() {
      this(BackpressureMode.FAIL_PRODUCER);
    }

    Race(BackpressureMode mode) {
      movers = new Movers(mode);
      movers.push(Movers.MOVES, 0);
      movers.push(Movers.STAYS, 0);
    }
  }

  /** A race after which all that was accepted must be had. */
  @Outcome(
      id = "1, 1, 1",
      expect = Expect.ACCEPTABLE,
      desc = "what should be accepted was, and all of it is had, in order")
  @Outcome(expect = Expect.FORBIDDEN, desc = "an event is refused, lost, stranded or out of order")
  abstract static class Turning extends Race {

    int before = 2;
    int accepted;

    Turning() {}

    Turning(BackpressureMode mode) {
      super(mode);
    }

    final int pushThree() {
      return movers.push(Movers.MOVES, 1)
          + movers.push(Movers.MOVES, 2)
          + movers.push(Movers.MOVES, 3);
    }

    final void end(III_Result r, int least) {
      r.r1 = accepted >= least ? 1 : 0;
      r.r2 = movers.takeAll();
      r.r3 = movers.verdict(before + accepted);
    }
  }

  // ---------------------------------------------------------------- turn-over against push

  /** Single events, of a key that moves and of one that stays. */
  @JCStressTest
  @State
  public static class TurnOverAgainstPush extends Turning {

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
      end(r, 3);
    }
  }

  /** A producer that hands the key over to another one. */
  @JCStressTest
  @State
  public static class TurnOverAgainstTwoProducers extends Turning {

    private volatile boolean handedOver;
    private int second;

    @Actor
    public void producer1() {
      accepted = movers.push(Movers.MOVES, 1);
      handedOver = true;
    }

    @Actor
    public void scalerThenProducer2() {
      movers.move();
      second = handedOver ? movers.push(Movers.MOVES, 2) : 0;
    }

    @Arbiter
    public void check(III_Result r) {
      accepted += second;
      end(r, 1);
    }
  }

  /** A batch with events of both keys. */
  @JCStressTest
  @State
  public static class TurnOverAgainstBatch extends Turning {

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
      end(r, 5);
    }
  }

  /** A push that has to make room in a full ring, if it still finds that. */
  @JCStressTest
  @State
  public static class TurnOverAgainstEviction extends Turning {

    public TurnOverAgainstEviction() {
      super(BackpressureMode.DROP_OLDEST);
      for (int i = 1; i < Movers.CAPACITY - 1; i++) {
        before += movers.push(Movers.STAYS, i);
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
      end(r, 2);
    }
  }

  /** Pushes into a ring that takes one of three. */
  @JCStressTest
  @State
  public static class TurnOverAgainstSampling extends Turning {

    public TurnOverAgainstSampling() {
      super(BackpressureMode.sample(3));
      for (int i = 1; i < Movers.CAPACITY; i++) {
        before += movers.push(Movers.STAYS, i);
      }
    }

    @Actor
    public void producer() {
      accepted = pushThree();
    }

    @Actor
    public void scaler() {
      movers.move();
    }

    @Arbiter
    public void check(III_Result r) {
      end(r, 1);
    }
  }

  /** Events above 1 KiB, whose bytes are counted. */
  @JCStressTest
  @State
  public static class TurnOverAgainstLargeEvents extends Turning {

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
      end(r, 3);
    }
  }

  /** Keys that leave a shard and come back to it at once. */
  @JCStressTest
  @State
  public static class ThereAndBackAgainstPush extends Turning {

    @Actor
    public void producer() {
      accepted = pushThree();
    }

    @Actor
    public void scaler() {
      movers.move();
      movers.moveBack();
    }

    @Arbiter
    public void check(III_Result r) {
      end(r, 3);
    }
  }

  /** Keys that follow the load, as at the end of a metrics window. */
  @JCStressTest
  @State
  public static class MoveByLoadAgainstPush extends Turning {

    private final List<ShardLoad> window;

    /** The receiver has too much, and the time for its turn-over has come. */
    public MoveByLoadAgainstPush() {
      movers.move();
      before += movers.push(Movers.MOVES, 1);
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
      end(r, 3);
    }
  }

  // ---------------------------------------------------------------- turn-over against the consumer

  /** Push and take while keys move. */
  @JCStressTest
  @State
  public static class TurnOverAgainstPopBatch extends Turning {

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
      end(r, 2);
    }
  }

  /** What the giver's consumer holds is not settled: the fence stays closed for so long. */
  @JCStressTest
  @Outcome(id = "0, 1, 1", expect = Expect.ACCEPTABLE, desc = "the key waited, and was had then")
  @Outcome(expect = Expect.FORBIDDEN, desc = "the fence opened too early, or never")
  @State
  public static class TurnOverAgainstDrain extends Race {

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
  public static class TurnOverAgainstSleep extends Race {

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
  public static class TurnOverAgainstClose extends Race {

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
}
