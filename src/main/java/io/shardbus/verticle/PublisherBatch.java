package io.shardbus.verticle;

import io.shardbus.event.IngestResult;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.DeliveryAck;
import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The fates of a publisher's batch. Fates become known on any thread; the rest happens on the
 * router's context.
 */
final class PublisherBatch {

  private static final byte[] NONE = {};

  private final Context context;
  private final boolean whenDelivered;
  private byte[] fates;
  private final AtomicInteger open;
  private final AtomicBoolean allTaken = new AtomicBoolean(true);
  private @Nullable Message<?> asking;
  private @Nullable Buffer answer;

  PublisherBatch(Context context, int events, boolean whenDelivered) {
    this.context = context;
    this.whenDelivered = whenDelivered;
    fates = new byte[events];
    // One more, for the batch itself: an empty one must be answered, too.
    open = new AtomicInteger(events + 1);
  }

  List<IngestQueue.Part> parts(List<RawEvent> events) {
    List<IngestQueue.Part> parts = new ArrayList<>(events.size());
    for (int i = 0; i < events.size(); i++) {
      int place = i;
      parts.add(
          new IngestQueue.Part(
              events.get(i), whenDelivered ? new Ack(place) : null, result -> in(place, result)));
    }
    return parts;
  }

  private final class Ack implements DeliveryAck {

    private final int place;

    Ack(int place) {
      this.place = place;
    }

    @Override
    public void delivered(int events) {
      settle(place, PublisherProtocol.TAKEN);
    }

    @Override
    public void failed(Failure failure, int events) {
      settle(place, PublisherProtocol.code(failure));
    }
  }

  private void in(int place, IngestResult result) {
    if (!result.accepted() || !whenDelivered) {
      settle(place, PublisherProtocol.code(result.outcome()));
    }
  }

  private void settle(int place, byte fate) {
    if (fate != PublisherProtocol.TAKEN) {
      fates[place] = fate;
      allTaken.set(false);
    }
    countDown();
  }

  /** All of its events are in the waiting room. */
  void handedOver() {
    countDown();
  }

  private void countDown() {
    if (open.decrementAndGet() == 0) {
      context.runOnContext(now -> settled());
    }
  }

  private void settled() {
    answer = allTaken.get() ? Buffer.buffer(0) : Buffer.buffer(fates);
    fates = NONE; // the batch is remembered for long
    reply();
  }

  boolean isAnswered() {
    return answer != null;
  }

  /** The last to ask gets the answer. */
  void ask(Message<?> message) {
    asking = message;
    reply();
  }

  private void reply() {
    if (answer != null && asking != null) {
      asking.reply(answer);
      asking = null;
    }
  }
}
