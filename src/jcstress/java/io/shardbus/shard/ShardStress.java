package io.shardbus.shard;

import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.vertx.core.buffer.Buffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.LL_Result;

/** The races of a shard's life, on the shipped classes. */
final class ShardStress {

  private static final Buffer PAYLOAD = Buffer.buffer("{}");

  private ShardStress() {}

  private static Shard shard(BackpressureMode mode) {
    return new Shard(0, 1024, mode, 1 << 20, new ShardLedger(), () -> 1);
  }

  private static QueuedEvent event() {
    return QueuedEvent.of(PAYLOAD, null, 1, null);
  }

  private static void fill(Shard shard) {
    for (int i = 0; i < shard.capacity(); i++) {
      shard.main().offer(event(), true);
    }
  }

  private static ShardManager manager(BackpressureMode mode, int shards) {
    return ShardManager.withMapper(
        shards, 1024, mode, new ScalingPolicy().setMaxShards(4).setMinShards(1));
  }

  /** 1 if what was accepted is what was drained, and nothing is left. */
  static int balanced(ShardAccounting account, int popped) {
    boolean ok =
        account.accepted() == account.delivered() + account.evicted()
            && account.delivered() == popped
            && account.pendingInRing() == 0
            && account.inFlight() == 0;
    return ok ? 1 : 0;
  }

  /** A producer and the consumer: everything arrives once, in order, in sequence. */
  @JCStressTest
  @Outcome(id = "3, 1", expect = Expect.ACCEPTABLE, desc = "all arrive, in order")
  @Outcome(expect = Expect.FORBIDDEN, desc = "an event was lost or its place is wrong")
  @State
  public static class RingHandOver {

    private final Shard shard = shard(BackpressureMode.FAIL_PRODUCER);
    private final DrainBuffer buffer = new DrainBuffer(0, 4);

    @Actor
    public void producer() {
      for (int i = 0; i < 3; i++) {
        shard.main().offer(QueuedEvent.of(PAYLOAD, Integer.toString(i), 1, null), true);
      }
    }

    @Actor
    public void consumer() {
      shard.tryDrain(buffer, 10, Long.MAX_VALUE);
    }

    @Arbiter
    public void check(II_Result r) {
      shard.tryDrain(buffer, 10, Long.MAX_VALUE);
      r.r1 = buffer.size();
      boolean inOrder = true;
      for (int i = 0; i < buffer.size(); i++) {
        ShardEvent event = buffer.events().get(i);
        inOrder &= event.sequence() == i && Integer.toString(i).equals(event.key());
      }
      r.r2 = inOrder ? 1 : 0;
    }
  }

  /** Two producers: both arrive. */
  @JCStressTest
  @Outcome(id = "2, 1", expect = Expect.ACCEPTABLE, desc = "both arrive, timestamps rise")
  @Outcome(expect = Expect.FORBIDDEN, desc = "an event was lost or its timestamp is wrong")
  @State
  public static class TwoProducers {

    private final Shard shard = shard(BackpressureMode.FAIL_PRODUCER);

    @Actor
    public void producer1() {
      shard.main().offer(event(), true);
    }

    @Actor
    public void producer2() {
      shard.main().offer(event(), true);
    }

    @Arbiter
    public void check(II_Result r) {
      List<ShardEvent> events = shard.popBatch(10);
      r.r1 = events.size();
      r.r2 = r.r1 == 2 && events.get(0).timestamp() < events.get(1).timestamp() ? 1 : 0;
    }
  }

  /** A consumer about to sleep: it drains again, or it is woken. */
  @Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "woken")
  @Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "stayed awake and saw the events")
  @Outcome(
      id = "1, 1",
      expect = Expect.ACCEPTABLE,
      desc = "stayed awake, and drained by the wake-up")
  @Outcome(id = "0, 0", expect = Expect.FORBIDDEN, desc = "asleep beside what it waits for")
  abstract static class Sleeping {

    final Shard shard = shard(BackpressureMode.FAIL_PRODUCER);
    private final AtomicInteger woken = new AtomicInteger();
    private int stayed;

    Sleeping() {
      shard.attachConsumer(woken::incrementAndGet);
      woken.set(0);
    }

    final void sleep(int events) {
      stayed = shard.trySleep(events) ? 0 : 1;
    }

    final void end(II_Result r) {
      r.r1 = stayed;
      r.r2 = woken.get();
    }
  }

  /** A consumer that waits for an event, and a push. */
  @JCStressTest
  @State
  public static class WakeUp extends Sleeping {

    @Actor
    public void producer() {
      shard.main().offer(event(), true);
    }

    @Actor
    public void consumer() {
      sleep(1);
    }

    @Arbiter
    public void check(II_Result r) {
      end(r);
    }
  }

  /** A consumer that waits for two events, and two pushes. */
  @JCStressTest
  @State
  public static class WakeUpForTwo extends Sleeping {

    @Actor
    public void producer1() {
      shard.main().offer(event(), true);
    }

    @Actor
    public void producer2() {
      shard.main().offer(event(), true);
    }

    @Actor
    public void consumer() {
      sleep(2);
    }

    @Arbiter
    public void check(II_Result r) {
      end(r);
    }
  }

  /** A push into a shard that is sealed meanwhile. */
  abstract static class Sealing {

    final Shard shard;
    private int accepted;

    Sealing(BackpressureMode mode) {
      shard = shard(mode);
    }

    final void push() {
      accepted = shard.main().offer(event(), true) == Push.ACCEPTED ? 1 : 0;
    }

    final void end(III_Result r) {
      r.r1 = accepted;
      r.r2 = shard.consumer().takeLeftovers().size();
      r.r3 = balanced(shard.accounting(), r.r2);
    }
  }

  /** A push against sealing: in the leftovers, or refused. */
  @JCStressTest
  @Outcome(id = "1, 1, 1", expect = Expect.ACCEPTABLE, desc = "accepted and left over")
  @Outcome(id = "0, 0, 1", expect = Expect.ACCEPTABLE, desc = "refused")
  @Outcome(expect = Expect.FORBIDDEN, desc = "accepted and stranded, or refused and delivered")
  @State
  public static class DrainGate extends Sealing {

    public DrainGate() {
      super(BackpressureMode.FAIL_PRODUCER);
    }

    @Actor
    public void producer() {
      push();
    }

    @Actor
    public void scaler() {
      shard.requestSeal();
    }

    @Arbiter
    public void check(III_Result r) {
      end(r);
    }
  }

  /** An evicting push against sealing, on a full ring. */
  @JCStressTest
  @Outcome(id = "1, 1024, 1", expect = Expect.ACCEPTABLE, desc = "accepted, one evicted")
  @Outcome(id = "0, 1024, 1", expect = Expect.ACCEPTABLE, desc = "refused, none evicted")
  @Outcome(id = "0, 1023, 1", expect = Expect.ACCEPTABLE, desc = "refused after it had evicted one")
  @Outcome(expect = Expect.FORBIDDEN, desc = "an event is lost or counted wrong")
  @State
  public static class EvictionAgainstSealing extends Sealing {

    public EvictionAgainstSealing() {
      super(BackpressureMode.DROP_OLDEST);
      fill(shard);
    }

    @Actor
    public void producer() {
      push();
    }

    @Actor
    public void scaler() {
      shard.requestSeal();
    }

    @Arbiter
    public void check(III_Result r) {
      end(r);
    }
  }

  /** An evicting push against a drain, on a full ring: each event is evicted or drained, once. */
  @JCStressTest
  @Outcome(id = "1025, 1", expect = Expect.ACCEPTABLE, desc = "all accounted for")
  @Outcome(expect = Expect.FORBIDDEN, desc = "an event is lost or counted twice")
  @State
  public static class EvictionAgainstDrain {

    private final Shard shard = shard(BackpressureMode.DROP_OLDEST);
    private int drained;

    public EvictionAgainstDrain() {
      fill(shard);
    }

    @Actor
    public void producer() {
      shard.main().offer(event(), true);
    }

    @Actor
    public void consumer() {
      drained = shard.popBatch(2).size();
    }

    @Arbiter
    public void check(II_Result r) {
      drained += shard.popBatch(4096).size();
      ShardAccounting account = shard.accounting();
      r.r1 = (int) (drained + account.evicted());
      r.r2 = balanced(account, drained);
    }
  }

  /** A selection while a shard is activated: only a shard that is active is found. */
  @JCStressTest
  @Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "the old table")
  @Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "the new table")
  @Outcome(expect = Expect.FORBIDDEN, desc = "a shard was found before it was active")
  @State
  public static class ActivationAgainstSelection {

    private final ShardManager manager = manager(BackpressureMode.FAIL_PRODUCER, 1);
    private final int newcomer = manager.addShardForce();
    private int found;
    private boolean active;

    @Actor
    public void producer() {
      // The last range is the newcomer's once it has any.
      for (long hash = -1; hash < 0 && found != newcomer; hash -= 1L << 56) {
        found = Math.max(found, manager.selectShardByHash(hash));
      }
      active =
          found != newcomer
              || manager.mapper().orElseThrow().shardState(newcomer).orElseThrow()
                  == ShardState.ACTIVE;
    }

    @Actor
    public void scaler() {
      manager.activateShard(newcomer);
    }

    @Arbiter
    public void check(II_Result r) {
      r.r1 = found;
      r.r2 = active ? 1 : 0;
    }
  }

  /** Pushing and reading statistics while a shard is removed: its history stays in the totals. */
  @JCStressTest
  @Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "no total goes back")
  @Outcome(expect = Expect.FORBIDDEN, desc = "a total went back, or the books do not balance")
  @State
  public static class AccountOfARemovedShard {

    private final ShardManager manager = manager(BackpressureMode.FAIL_PRODUCER, 2);
    private int popped;
    private boolean monotonic;

    public AccountOfARemovedShard() {
      for (int i = 0; i < 8; i++) {
        manager.ingestRaw(RawEvent.ofHash(PAYLOAD, (long) i << 61));
      }
    }

    @Actor
    public void producer() {
      long before = manager.stats().eventsIngested();
      manager.ingestRaw(RawEvent.ofHash(PAYLOAD, -1));
      long after = manager.stats().eventsIngested();
      monotonic = before == 8 && after == 9;
    }

    @Actor
    public void scaler() {
      manager.drainShard(1);
      popped = manager.removeShard(1).size();
    }

    @Arbiter
    public void check(II_Result r) {
      int rest = manager.withShard(0, shard -> shard.popBatch(100).size()).orElseThrow();
      ShardAccounting account = manager.accounting();
      r.r1 = monotonic ? 1 : 0;
      r.r2 = account.accepted() == 9 ? balanced(account, popped + rest) : 0;
    }
  }

  /** A batch against the sealing of its shard: all of it in one shard, in order. */
  @JCStressTest
  @Outcome(id = "3, 0", expect = Expect.ACCEPTABLE, desc = "all by the old table")
  @Outcome(id = "0, 3", expect = Expect.ACCEPTABLE, desc = "all by the new table")
  @Outcome(expect = Expect.FORBIDDEN, desc = "the batch was torn, or an event lost")
  @State
  public static class BatchAgainstSealing {

    private final ShardManager manager = manager(BackpressureMode.FAIL_PRODUCER, 2);
    private int leftovers;

    @Actor
    public void producer() {
      RawEvent event = RawEvent.ofHash(PAYLOAD, -1);
      manager.ingestRawBatch(List.of(event, event, event));
    }

    @Actor
    public void scaler() {
      manager.drainShard(1);
      leftovers = manager.removeShard(1).size();
    }

    @Arbiter
    public void check(LL_Result r) {
      r.r1 = leftovers;
      r.r2 = manager.withShard(0, shard -> shard.popBatch(100).size()).orElseThrow();
    }
  }
}
