package io.shardbus.sink;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * Takes the first half only of every third batch, and never an event that ends with {@value
 * #POISON}.
 */
final class PartialTaker {

  static final String POISON = "77";

  private final Function<Batch, Future<Void>> taker;
  private final AtomicInteger calls = new AtomicInteger();

  PartialTaker(Function<Batch, Future<Void>> taker) {
    this.taker = taker;
  }

  static boolean isPoison(ShardEvent event) {
    return event.payload().toString().endsWith(POISON);
  }

  Future<Void> take(Batch batch) {
    boolean half = calls.incrementAndGet() % 3 == 0 && batch.size() > 1;
    int end = half ? batch.size() / 2 : batch.size();
    BitSet failed = new BitSet();
    failed.set(end, batch.size());
    List<ShardEvent> good = new ArrayList<>();
    for (int i = 0; i < end; i++) {
      if (isPoison(batch.events().get(i))) {
        failed.set(i);
      } else {
        good.add(batch.events().get(i));
      }
    }
    Future<Void> taken =
        good.isEmpty()
            ? Future.succeededFuture()
            : taker.apply(new Batch(batch.shard(), good.get(0).sequence(), good, batch.producer()));
    return failed.isEmpty() ? taken : taken.compose(done -> Future.failedFuture(why(failed, half)));
  }

  private static SinkException why(BitSet failed, boolean half) {
    return SinkException.partial(
        failed,
        half
            ? SinkException.transientFailure("too much at once")
            : SinkException.permanentFailure("ends with " + POISON));
  }
}
