package io.shardbus;

import io.shardbus.delivery.DeadLetters;
import io.shardbus.delivery.DeadLetters.Kept;
import io.shardbus.delivery.WaitingRoom;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
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
    return exclusively(() -> letters.lastId().compose(last -> from(0, last, null)));
  }

  Future<Result> some(Collection<Long> ids) {
    Set<Long> wanted = Set.copyOf(ids);
    return exclusively(() -> letters.lastId().compose(last -> from(0, last, wanted)));
  }

  private Future<Result> exclusively(java.util.function.Supplier<Future<Result>> replay) {
    if (!underWay.compareAndSet(false, true)) {
      return Future.failedFuture(new IllegalStateException("a replay is under way"));
    }
    return replay.get().onComplete(done -> underWay.set(false));
  }

  /**
   * Events that become letters meanwhile have higher ids than the last one. They are left for the
   * next replay.
   */
  private Future<Result> from(long after, long last, @Nullable Set<Long> wanted) {
    return letters
        .list(after, PAGE)
        .compose(
            page -> {
              List<Kept> due =
                  page.stream()
                      .filter(kept -> kept.id() <= last)
                      .filter(kept -> wanted == null || wanted.contains(kept.id()))
                      .toList();
              Future<Result> done = replay(due);
              long reached = page.isEmpty() ? last : page.get(page.size() - 1).id();
              return reached >= last
                  ? done
                  : done.compose(
                      first -> from(reached, last, wanted).map(rest -> first.plus(rest)));
            });
  }

  /** Its id was freed when it became a dead letter, so it is no repeat. */
  private static RawEvent again(ShardEvent event) {
    return RawEvent.builder(event.payload())
        .key(event.key())
        .id(event.id())
        .headers(event.headers())
        .build();
  }

  private Future<Result> replay(List<Kept> page) {
    List<Future<Fate>> fates = new ArrayList<>();
    for (Kept kept : page) {
      RawEvent event = again(kept.letter().event());
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
