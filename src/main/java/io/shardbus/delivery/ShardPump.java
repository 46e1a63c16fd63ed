package io.shardbus.delivery;

import io.shardbus.event.Outcome;
import io.shardbus.event.ProducerId;
import io.shardbus.shard.DrainBuffer;
import io.shardbus.shard.FlushMark;
import io.shardbus.shard.SafeLog;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardAccounting;
import io.shardbus.sink.DeadLetterSink;
import io.shardbus.sink.DeliveryObserver;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkHealth;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/*
 * A shard's consumer: drains the ring into a batch, and hands batches to the delivery, one at a time. While one batch
 * is delivered, the next one forms. When that is full, the pump leaves the ring alone, so that backpressure reaches the
 * producers.
 *
 * Ownership: the pump belongs to the shard, not to the verticle that runs it. A verticle attaches it to its loop and
 * detaches it. Events that are drained and not delivered stay here for the next verticle. Everything runs on the loop;
 * flush and end, which are for any thread, hand over to it.
 *
 * Why it is safe: each step makes its objects before it changes anything. If a turn throws, all events are where they
 * were, and the next turn finds them. After a turn that threw, `rescue` brings another one, even if there is no memory
 * for a task. So a shard is asleep, has a turn, a timer or a write under way, or is about to be rescued.
 */
final class ShardPump {

  private static final Logger LOG = LoggerFactory.getLogger(ShardPump.class);

  /** How many events one turn of the loop may take: other shards share its thread. */
  private static final int EVENTS_PER_TURN = 10_000;

  private final Shard shard;
  private final BatchOptions options;
  private final BatchTarget target;
  private final DeliveryObserver observer;
  private final Delivery delivery;
  private final Queue<Flush> newFlushes = new ConcurrentLinkedQueue<>();

  /** Where it runs; null while no verticle does. */
  private volatile @Nullable ShardLoop loop;

  /** Where it ran last; null if it never did. */
  private volatile @Nullable ShardLoop home;

  /** Brings a turn if the loop could not run one, or if one has failed. */
  private final Rescue.Call rescue = new Rescue.Call(this::rescued);

  private volatile boolean ended;
  private DrainBuffer forming;
  private long formingSince;
  private boolean consumerTaken;
  private long timer = -1;
  private final List<Flush> flushes = new ArrayList<>();

  /**
   * What was in the rings when it was asked for; {@code through} is known once that has left them.
   */
  private static final class Flush {

    final FlushMark mark;
    final Promise<Void> promise = Promise.promise();
    long through = -1;

    Flush(FlushMark mark) {
      this.mark = mark;
    }

    /** Answers when nothing more will be delivered. */
    void end(long left) {
      if (left == 0) {
        promise.tryComplete();
      } else {
        promise.tryFail(
            new IllegalStateException(left + " events were not delivered before the end"));
      }
    }
  }

  ShardPump(
      Shard shard,
      Sink sink,
      DeadLetterSink deadLetters,
      ProducerId producer,
      BatchOptions options,
      RetryOptions retryOptions,
      DeliveryObserver observer) {
    this.shard = shard;
    this.options = options;
    this.target = new BatchTarget(options);
    this.observer = observer;
    this.delivery =
        new Delivery(
            shard, sink, deadLetters, producer, retryOptions, observer, this::batchSettled, rescue);
    this.forming = newBuffer();
  }

  Shard shard() {
    return shard;
  }

  /** For any thread. */
  SinkHealth sinkHealth() {
    return delivery.health();
  }

  /** On the loop. */
  void attach(ShardLoop on) {
    if (loop != null) {
      throw new IllegalStateException(shard + " has a consumer already");
    }
    Runnable turn = () -> turn(on);
    home = on;
    if (ended) { // read after `home` is written; End does it the other way round
      throw new IllegalStateException("the consumer of " + shard + " has ended");
    }
    loop = on;
    timer = -1; // whatever it was, it ended with the verticle before
    delivery.resume(on);
    shard.attachConsumer(() -> handOver(on, turn));
  }

  /** For any thread; does not throw. */
  private void handOver(ShardLoop here, Runnable task) {
    try {
      here.execute(task);
    } catch (Throwable e) {
      delivery.rescue(e);
    }
  }

  /** On the thread for rescues. */
  private void rescued() {
    ShardLoop last = home;
    if (last != null && !ended) {
      last.execute(
          () -> {
            delivery.goOn(last);
            turn(last);
          });
    }
  }

  /** On the loop. Completes when no write is under way; nothing is lost. */
  Future<Void> detach() {
    ShardLoop here = loop;
    if (here == null) {
      return Future.succeededFuture();
    }
    loop = null;
    shard.detachConsumer();
    cancelTimer(here);
    return delivery.suspend();
  }

  /**
   * No verticle will run it again. Callers that wait for undelivered events are told so. For any
   * thread.
   */
  Future<Void> end() {
    End end = new End();
    end.ask();
    return end.done.future();
  }

  /** Gives up on the loop; comes again if there was no memory for that. */
  private final class End {

    final Promise<Void> done = Promise.promise();
    private final Rescue.Call again = new Rescue.Call(this::askAgain);

    void ask() {
      ShardLoop last = home;
      if (last == null) {
        run(null);
        return;
      }
      try {
        last.execute(() -> run(last));
      } catch (RejectedExecutionException e) {
        run(last); // the loop has ended, so no other thread works here
      }
    }

    private void askAgain() {
      if (!done.future().isComplete()) {
        ask();
      }
    }

    private void run(@Nullable ShardLoop on) {
      try {
        ended = true; // no further verticle comes, unless one came just now
        if (home != on) {
          ask();
          return;
        }
        giveUp();
        done.tryComplete();
      } catch (Throwable e) {
        SafeLog.error(LOG, "a shard could not be ended; it is tried again", e);
        again.ask();
      }
    }
  }

  /**
   * No verticle has run it, and none will. Callers that wait for a flush are told so. For any
   * thread.
   */
  void neverRan() {
    ended = true;
    endNewFlushes(shard.accounting().pending());
  }

  private void giveUp() {
    detach();
    long left = shard.accounting().pending();
    delivery.abandon();
    DrainBuffer rest = forming;
    forming = newBuffer();
    rest.acknowledgeAll(Outcome.UNKNOWN);
    shard.abandon();
    flushes.forEach(flush -> flush.end(left));
    flushes.clear();
    endNewFlushes(left);
  }

  private void endNewFlushes(long left) {
    for (Flush flush = newFlushes.poll(); flush != null; flush = newFlushes.poll()) {
      flush.end(left);
    }
  }

  /** For any thread. Completes when the events accepted by now are settled. */
  Future<Void> flush() {
    Flush flush = new Flush(shard.mark());
    newFlushes.add(flush);
    ShardLoop here = loop;
    if (here != null) {
      handOver(here, () -> turn(here));
    } else if (ended) {
      endNewFlushes(shard.accounting().pending());
    } // else the next verticle finds it when it attaches
    return flush.promise.future();
  }

  /** Does not throw. */
  private void turn(ShardLoop here) {
    if (loop != here) {
      return; // a wake-up meant for a verticle that is gone
    }
    try {
      work(here);
    } catch (Throwable e) {
      delivery.rescue(e);
    }
  }

  private void work(ShardLoop here) {
    for (Flush flush = newFlushes.peek(); flush != null; flush = newFlushes.peek()) {
      flushes.add(flush);
      newFlushes.remove();
    }
    int room = EVENTS_PER_TURN;
    do {
      room -= drain(room, here);
    } while (writeIfDue(here));
    completeFlushes();
    if (full() || consumerTaken) {
      return; // the end of the delivery, or the thread with the consumer side, brings a turn
    }
    if (!shard.trySleep(worthWakingFor())) {
      here.execute(() -> turn(here));
    } else if (!delivery.busy()) {
      delivery.rested();
      if (forming.size() > 0 && timer < 0) {
        long age = here.nanoTime() - formingSince;
        timer = here.setTimer(options.getMaxDelay().minusNanos(age), () -> timerFired(here));
      }
    }
  }

  private void timerFired(ShardLoop here) {
    timer = -1;
    turn(here);
  }

  private int drain(int room, ShardLoop here) {
    int total = 0;
    consumerTaken = false;
    while (total < room && !full()) {
      int most = Math.min(room - total, options.getMaxSize() - forming.size());
      boolean first = forming.size() == 0;
      int taken = shard.tryDrain(forming, most, options.getMaxBytes());
      consumerTaken = taken < 0;
      if (taken <= 0) {
        break;
      }
      if (first) {
        formingSince = here.nanoTime();
      }
      total += taken;
    }
    return total;
  }

  private boolean full() {
    return forming.size() >= options.getMaxSize()
        || forming.bytes() >= options.getMaxBytes()
        || forming.isClosed();
  }

  private boolean writeIfDue(ShardLoop here) {
    if (delivery.busy() || forming.size() == 0 || !due(here)) {
      return false;
    }
    DrainBuffer batch = forming;
    DrainBuffer next = newBuffer();
    delivery.take(batch);
    forming = next;
    cancelTimer(here);
    target.batchFormed(batch.size(), here.nanoTime());
    observer.batchFormed(batch.size());
    delivery.write();
    return true;
  }

  private void turnIfAttached() {
    ShardLoop here = loop;
    if (here != null) {
      turn(here);
    }
  }

  private boolean due(ShardLoop here) {
    return full()
        || !flushes.isEmpty()
        || forming.asked() // the next batch grows while this one is written
        || forming.size() >= target.events()
        || !target.moreExpected()
        || here.nanoTime() - formingSince >= options.getMaxDelay().toNanos();
  }

  /**
   * How many events: those that complete the batch. Until then a timer, or the end of the delivery
   * under way, brings the next turn.
   */
  private int worthWakingFor() {
    if (delivery.busy()) {
      return options.getMaxSize() - forming.size();
    }
    return forming.size() == 0 ? 1 : Math.max(1, target.events() - forming.size());
  }

  private void completeFlushes() {
    if (flushes.isEmpty()) {
      return;
    }
    ShardAccounting account = shard.accounting();
    long drained = account.delivered() + account.deadLettered() + account.inFlight();
    long oldest = oldestUnsettled();
    for (Iterator<Flush> all = flushes.iterator(); all.hasNext(); ) {
      Flush flush = all.next();
      if (flush.through < 0 && flush.mark.isPassed()) {
        flush.through = drained;
      }
      if (flush.through >= 0 && oldest >= flush.through) {
        all.remove();
        flush.end(0);
      }
    }
  }

  /** The lowest sequence that was taken and is not settled; the largest number if there is none. */
  private long oldestUnsettled() {
    if (delivery.busy()) {
      return delivery.oldestSequence();
    }
    return forming.size() > 0 ? forming.firstSequence() : Long.MAX_VALUE;
  }

  private void batchSettled() {
    shard.settledBelow(oldestUnsettled());
    turnIfAttached();
  }

  private DrainBuffer newBuffer() {
    return new DrainBuffer(shard.id(), Math.min(target.events(), options.getMaxSize()));
  }

  private void cancelTimer(ShardLoop here) {
    if (timer >= 0) {
      here.cancelTimer(timer);
      timer = -1;
    }
  }
}
