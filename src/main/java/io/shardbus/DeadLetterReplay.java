package io.shardbus;

import io.shardbus.delivery.DeadLetters;
import io.shardbus.delivery.DeadLetters.Kept;
import io.shardbus.delivery.WaitingRoom;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.DeliveryAck;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Hands dead letters to the bus again, a page at a time. A letter is removed after the sink has
 * confirmed its event, or after the event has become a new letter. If the process ends in between,
 * the event is there twice, and never lost.
 */
public final class DeadLetterReplay {

  private static final int PAGE = 100;

  private final DeadLetters letters;
  private final WaitingRoom queue;
  private final AtomicBoolean underWay = new AtomicBoolean();

  /**
   * The result of a replay.
   *
   * @param delivered events that the sink confirmed
   * @param deadLettered events that it refused again
   * @param kept letters that stay, because the rings had no room for their events
   */
  public record Result(int delivered, int deadLettered, int kept) {

    private Result plus(Result other) {
      return new Result(
          delivered + other.delivered, deadLettered + other.deadLettered, kept + other.kept);
    }
  }

  /** Null is delivered. */
  private record Fate(long id, @Nullable Outcome failure) {

    boolean letterIsDone() {
      return failure == null || failure == Outcome.DEAD_LETTERED;
    }
  }

  DeadLetterReplay(DeadLetters letters, WaitingRoom queue) {
    this.letters = letters;
    this.queue = queue;
  }

  Future<Result> all() {
    return exclusively(null);
  }

  Future<Result> some(Collection<Long> ids) {
    return exclusively(Set.copyOf(ids));
  }

  private Future<Result> exclusively(@Nullable Set<Long> wanted) {
    if (!underWay.compareAndSet(false, true)) {
      return Future.failedFuture(new IllegalStateException("a replay is under way"));
    }
    Promise<Result> all = Promise.promise();
    letters
        .lastId()
        .onSuccess(last -> from(0, last, wanted, new Result(0, 0, 0), all))
        .onFailure(all::fail);
    return all.future().onComplete(done -> underWay.set(false));
  }

  /**
   * Events that become letters meanwhile have higher ids than the last one. They are left for the
   * next replay. No chain of futures grows with the pages.
   */
  private void from(
      long after, long last, @Nullable Set<Long> wanted, Result before, Promise<Result> all) {
    record Step(long reached, Result result) {}
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
              return replay(due).map(result -> new Step(reached, before.plus(result)));
            })
        .onSuccess(
            step -> {
              if (step.reached() >= last) {
                all.complete(step.result());
              } else {
                from(step.reached(), last, wanted, step.result(), all);
              }
            })
        .onFailure(all::fail);
  }

  private Future<Result> replay(List<Kept> page) {
    List<Future<Fate>> fates = new ArrayList<>();
    for (Kept kept : page) {
      RawEvent event = RawEvent.of(kept.letter().event().payload(), kept.letter().event().key());
      Promise<Fate> fate = Promise.promise();
      DeliveryAck ack =
          new DeliveryAck() {
            @Override
            public void delivered(int events) {
              fate.complete(new Fate(kept.id(), null));
            }

            @Override
            public void failed(Outcome failure, int events) {
              fate.complete(new Fate(kept.id(), failure));
            }
          };
      queue.ingest(
          event,
          ack,
          result -> {
            if (!result.accepted()) {
              fate.complete(new Fate(kept.id(), result.outcome()));
            }
          });
      fates.add(fate.future());
    }
    return Future.all(fates)
        .compose(
            all -> {
              List<Fate> known = all.list();
              List<Long> done = known.stream().filter(Fate::letterIsDone).map(Fate::id).toList();
              int delivered = (int) known.stream().filter(fate -> fate.failure() == null).count();
              Result result =
                  new Result(delivered, done.size() - delivered, known.size() - done.size());
              return done.isEmpty()
                  ? Future.succeededFuture(result)
                  : letters.remove(done).map(result);
            });
  }
}
