package io.shardbus.verticle;

import io.shardbus.event.ProducerId;
import io.shardbus.shard.DeliveryAck;
import io.shardbus.shard.DrainBuffer;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardAccounting;
import io.shardbus.sink.DeadLetterSink;
import io.shardbus.sink.Sink;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/*
 * A shard's consumer: drains the ring into a batch, and hands batches to the delivery, one at a time. While one is
 * being delivered the next one forms, and when that is full the ring is left alone, so that backpressure reaches the
 * producers.
 *
 * It belongs to the shard, not to the verticle that runs it: a verticle attaches it to its loop and detaches it, and
 * what was drained but not delivered stays here for the next one. Everything runs on the loop; flush and end, which are
 * for any thread, hand over to it.
 */
final class ShardPump {

  /** How many events one turn of the loop may take: other shards share its thread. */
  private static final int EVENTS_PER_TURN = 10_000;

  private final Shard shard;
  private final BatchOptions options;
  private final BatchTarget target;
  private final Delivery delivery;
  private final Queue<Flush> newFlushes = new ConcurrentLinkedQueue<>();

  /** Where it runs; null while no verticle does. */
  private volatile @Nullable ShardLoop loop;

  /** Where it ran last; null if it never did. */
  private volatile @Nullable ShardLoop home;

  private volatile boolean ended;
  private DrainBuffer forming;
  private long formingSince;
  private boolean consumerTaken;
  private long timer = -1;
  private final List<Flush> flushes = new ArrayList<>();

  /**
   * Asked for when {@code accepted} events were in; {@code through} is known once these have left
   * the ring.
   */
  private static final class Flush {

    final long accepted;
    final Promise<Void> promise = Promise.promise();
    long through = -1;

    Flush(long accepted) {
      this.accepted = accepted;
    }

    /** Answers when nothing more will be delivered. */
    void end(long left) {
      if (left == 0) {
        promise.complete();
      } else {
        promise.fail(new IllegalStateException(left + " events were not delivered before the end"));
      }
    }
  }

  ShardPump(
      Shard shard,
      Sink sink,
      DeadLetterSink deadLetters,
      ProducerId producer,
      BatchOptions options,
      DeliveryOptions deliveryOptions,
      DeliveryObserver observer) {
    this.shard = shard;
    this.options = options;
    this.target = new BatchTarget(options);
    this.delivery = new Delivery(shard, sink, deadLetters, producer, deliveryOptions, observer);
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
    home = on;
    loop = on;
    timer = -1; // whatever it was, it ended with the verticle before
    delivery.resume(on);
    shard.attachConsumer(() -> on.execute(() -> turn(on)));
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
   * No verticle will run it again. Who waits for what is not delivered by now is told so. For any
   * thread.
   */
  Future<Void> end() {
    Promise<Void> done = Promise.promise();
    Runnable end =
        () -> {
          giveUp();
          done.complete();
        };
    ShardLoop last = home;
    if (last == null) {
      end.run();
    } else {
      last.execute(end);
    }
    return done.future();
  }

  /** No verticle has run it, and none will: who waits for a flush is told so. For any thread. */
  void neverRan() {
    ended = true;
    endNewFlushes(shard.accounting().pending());
  }

  private void giveUp() {
    if (ended) {
      return;
    }
    ended = true;
    detach();
    long left = shard.accounting().pending();
    delivery.abandon();
    forming.acknowledgeAll(DeliveryAck.Failure.ABANDONED);
    forming = newBuffer();
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

  /** For any thread. Completes when what the shard has accepted by now is settled. */
  Future<Void> flush() {
    Flush flush = new Flush(shard.accounting().accepted());
    newFlushes.add(flush);
    ShardLoop here = loop;
    if (here != null) {
      here.execute(() -> turn(here));
    } else if (ended) {
      endNewFlushes(shard.accounting().pending());
    } // else the next verticle finds it when it attaches
    return flush.promise.future();
  }

  private void turn(ShardLoop here) {
    if (loop != here) {
      return; // a wake-up meant for a verticle that is gone
    }
    for (Flush flush = newFlushes.poll(); flush != null; flush = newFlushes.poll()) {
      flushes.add(flush);
    }
    int room = EVENTS_PER_TURN;
    do {
      room -= drain(room, here);
    } while (writeIfDue(here));
    completeFlushes();
    if (full() || consumerTaken) {
      return; // the end of the delivery under way, or whoever has the consumer side, brings the
      // next turn
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
    cancelTimer(here);
    DrainBuffer batch = forming;
    target.batchFormed(batch.size(), here.nanoTime());
    forming = newBuffer();
    delivery.start(batch, this::turnIfAttached);
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
        || forming.asked() // while this is written the next one grows
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
    long oldest =
        delivery.busy()
            ? delivery.oldestSequence()
            : forming.size() > 0 ? forming.events().get(0).sequence() : Long.MAX_VALUE;
    flushes.removeIf(
        flush -> {
          if (flush.through < 0 && drained + account.evicted() >= flush.accepted) {
            flush.through = drained;
          }
          boolean done = flush.through >= 0 && oldest >= flush.through;
          if (done) {
            flush.promise.complete();
          }
          return done;
        });
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
