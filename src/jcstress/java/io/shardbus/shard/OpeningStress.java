package io.shardbus.shard;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** The races of a fence that opens: whoever pushes behind it is drained, or wakes the consumer. */
final class OpeningStress {

  private OpeningStress() {}

  /** A race with the consumer of the receiver, whose fence opens. */
  @Outcome(id = "0", expect = Expect.ACCEPTABLE, desc = "nothing is left once all slept")
  @Outcome(expect = Expect.FORBIDDEN, desc = "asleep beside an event")
  abstract static class Opening extends LaneStress.Race {

    final Sleeper sleeper = new Sleeper(movers, movers.receiver);

    Opening() {
      movers.move();
    }

    /** The fence may be opened, and has not been. */
    final void settleGiver() {
      movers.giver.popBatch(10);
      sleeper.forgetWakeUps();
    }

    final void end(I_Result r) {
      sleeper.finish();
      r.r1 = movers.receiver.size();
    }
  }

  /** Whoever pushes behind a fence that opens is drained, or wakes the consumer. */
  @JCStressTest
  @State
  public static class OpeningAgainstPush extends Opening {

    public OpeningAgainstPush() {
      settleGiver();
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
      end(r);
    }
  }

  /** As above, for a batch, which claims its places in the ring at once. */
  @JCStressTest
  @State
  public static class OpeningAgainstBatch extends Opening {

    public OpeningAgainstBatch() {
      settleGiver();
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
      end(r);
    }
  }

  /** The receiver's consumer goes to sleep while its fence opens. */
  @JCStressTest
  @State
  public static class OpeningAgainstSleep extends Opening {

    public OpeningAgainstSleep() {
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
      end(r);
    }
  }
}
