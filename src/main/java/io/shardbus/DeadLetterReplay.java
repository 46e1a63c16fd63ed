package io.shardbus;

import io.shardbus.delivery.DeadLetterStore;
import io.shardbus.delivery.WaitingRoom;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.DeliveryAck;
import io.shardbus.sink.DeadLetters.Kept;
import io.shardbus.sink.DeadLetters.ReplayResult;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Hands dead letters to the bus again, a page at a time. A letter is removed after the sink has
 * confirmed its event, or after the event has become a new letter. If the process ends in between,
 * the event is there twice, and never lost.
 */
final class DeadLetterReplay {

  private static final int PAGE = 100;

  private final DeadLetterStore letters;
  private final WaitingRoom waitingRoom;
  private final AtomicBoolean underWay = new AtomicBoolean();

  DeadLetterReplay(DeadLetterStore letters, WaitingRoom waitingRoom) {
    this.letters = letters;
    this.waitingRoom = waitingRoom;
  }

  Future<ReplayResult> all() {
    return exclusively(null);
  }

  Future<ReplayResult> some(Collection<Long> ids) {
    return exclusively(Set.copyOf(ids));
  }

  private Future<ReplayResult> exclusively(@Nullable Set<Long> wanted) {
    Promise<ReplayResult> all = Promise.promise();
    Future<ReplayResult> ended = all.future().onComplete(done -> underWay.set(false));
    if (!underWay.compareAndSet(false, true)) {
      return Future.failedFuture(new IllegalStateException("a replay is under way"));
    }
    try {
      after(letters.lastId(), last -> from(0, last, wanted, new ReplayResult(0, 0, 0), all), all);
    } catch (Throwable e) { // memory may be missing
      all.tryFail(e);
    }
    return ended;
  }

  /** Whatever is thrown ends the replay, so that another one can begin. */
  private static <T> void after(Future<T> work, Consumer<T> next, Promise<?> all) {
    work.onComplete(
        end -> {
          try {
            if (end.succeeded()) {
              next.accept(end.result());
            } else {
              all.tryFail(end.cause());
            }
          } catch (Throwable e) {
            all.tryFail(e);
          }
        });
  }

  /**
   * Events that become letters meanwhile have higher ids than the last one. They are left for the
   * next replay. No chain of futures grows with the pages.
   */
  private void from(
      long after,
      long last,
      @Nullable Set<Long> wanted,
      ReplayResult before,
      Promise<ReplayResult> all) {
    record Step(long reached, ReplayResult result) {}
    Future<Step> step =
        letters
            .list(after, PAGE)
            .compose(
                page -> {
                  List<Kept> due =
                      page.stream()
                          .filter(kept -> kept.id() <= last)
                          .filter(kept -> wanted == null || wanted.contains(kept.id()))
                          .toList();
                  long reached = page.isEmpty() ? last : page.get(page.size() - 1).id();
                  return replay(due).map(result -> new Step(reached, plus(before, result)));
                });
    after(
        step,
        now -> {
          if (now.reached() >= last) {
            all.complete(now.result());
          } else {
            from(now.reached(), last, wanted, now.result(), all);
          }
        },
        all);
  }

  private static ReplayResult plus(ReplayResult one, ReplayResult other) {
    return new ReplayResult(
        one.delivered() + other.delivered(),
        one.deadLettered() + other.deadLettered(),
        one.kept() + other.kept());
  }

  /** Its id was freed when it became a dead letter, so it is no repeat. */
  private static RawEvent again(ShardEvent event) {
    return RawEvent.builder(event.payload())
        .key(event.key())
        .id(event.id())
        .headers(event.headers())
        .build();
  }

  /** A fate is null once the event is delivered: telling it makes no object. */
  private Future<ReplayResult> replay(List<Kept> page) {
    List<Future<@Nullable Outcome>> fates = new ArrayList<>();
    for (Kept kept : page) {
      RawEvent event = again(kept.letter().event());
      Promise<@Nullable Outcome> fate = Promise.promise();
      DeliveryAck ack =
          new DeliveryAck() {
            @Override
            public void delivered(int events) {
              fate.complete();
            }

            @Override
            public void failed(Outcome failure, int events) {
              fate.complete(failure);
            }
          };
      waitingRoom.ingestAgain(
          event,
          ack,
          result -> {
            if (!result.accepted()) {
              fate.complete(result.outcome());
            }
          });
      fates.add(fate.future());
    }
    return Future.all(fates)
        .compose(
            all -> {
              List<Long> done = new ArrayList<>();
              int delivered = 0;
              for (int i = 0; i < page.size(); i++) {
                Outcome failure = all.resultAt(i);
                if (failure == null) {
                  delivered++;
                }
                if (failure == null || failure == Outcome.DEAD_LETTERED) {
                  done.add(page.get(i).id());
                }
              }
              ReplayResult result =
                  new ReplayResult(delivered, done.size() - delivered, page.size() - done.size());
              return done.isEmpty()
                  ? Future.succeededFuture(result)
                  : letters.remove(done).map(result);
            });
  }
}
