package io.shardbus.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.junit5.RecordingSink;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.streams.WriteStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Writes numbered events, {@code name:0} onwards, as fast as a stream takes them, and notes what
 * became of each.
 */
public final class Source {

  private static final byte OPEN = 0;
  private static final byte TAKEN = 1;
  private static final byte REFUSED = 2;
  private static final byte UNKNOWN = 3;

  private final String name;
  private final byte[] fates;
  private final AtomicInteger settled = new AtomicInteger();
  private final Map<Outcome, Integer> reasons = new HashMap<>();
  private volatile int written;
  private volatile int maxUnsettled;

  public Source(String name, int count) {
    this.name = name;
    fates = new byte[count];
  }

  /** Completes when all are written and the stream has ended. */
  public Future<Void> pumpInto(Vertx vertx, WriteStream<RawEvent> stream) {
    Promise<Void> done = Promise.promise();
    Context context = vertx.getOrCreateContext();
    context.runOnContext(now -> pump(context, stream, done));
    return done.future();
  }

  private void pump(Context context, WriteStream<RawEvent> stream, Promise<Void> done) {
    for (int i = 0; i < 2_000; i++) {
      if (written == fates.length) {
        stream.end().onComplete(done);
        return;
      }
      if (stream.writeQueueFull()) {
        stream.drainHandler(room -> context.runOnContext(now -> pump(context, stream, done)));
        return;
      }
      int number = written;
      written = number + 1;
      stream
          .write(RawEvent.of(Buffer.buffer(name + ":" + number)))
          .onComplete(result -> settle(number, result.cause()));
      maxUnsettled = Math.max(maxUnsettled, written - settled.get());
    }
    context.runOnContext(now -> pump(context, stream, done));
  }

  private synchronized void settle(int number, Throwable failure) {
    assertThat(fates[number]).isEqualTo(OPEN);
    if (failure == null) {
      fates[number] = TAKEN;
    } else {
      Outcome why = ((NotDeliveredException) failure).reason();
      fates[number] = why == Outcome.UNKNOWN ? UNKNOWN : REFUSED;
      reasons.merge(why, 1, Integer::sum);
    }
    settled.incrementAndGet();
  }

  public int written() {
    return written;
  }

  public int settled() {
    return settled.get();
  }

  public int maxUnsettled() {
    return maxUnsettled;
  }

  public synchronized Map<Outcome, Integer> reasons() {
    return Map.copyOf(reasons);
  }

  /**
   * Every event is settled; what was taken is in one of the sinks once, what was refused is not,
   * and in no shard does one overtake another.
   */
  public synchronized void assertTruthful(RecordingSink... sinks) {
    assertThat(settled.get()).isEqualTo(fates.length);
    int[] seen = new int[fates.length];
    for (RecordingSink sink : sinks) {
      Map<Integer, Integer> last = new HashMap<>();
      List<ShardEvent> all = sink.all();
      for (ShardEvent event : all) {
        String text = event.payload().toString();
        if (text.startsWith(name + ":")) {
          int number = Integer.parseInt(text.substring(name.length() + 1));
          seen[number]++;
          Integer before = last.put(event.shard(), number);
          assertThat(before == null || before < number)
              .as("%s after %s in shard %s", number, before, event.shard())
              .isTrue();
        }
      }
    }
    for (int i = 0; i < fates.length; i++) {
      boolean right =
          switch (fates[i]) {
            case TAKEN -> seen[i] == 1;
            case REFUSED -> seen[i] == 0;
            default -> seen[i] <= 1;
          };
      if (!right) {
        throw new AssertionError(name + ":" + i + " came " + seen[i] + " times, fate " + fates[i]);
      }
    }
  }
}
