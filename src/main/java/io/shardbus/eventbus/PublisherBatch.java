package io.shardbus.eventbus;

import io.shardbus.delivery.WaitingRoom;
import io.shardbus.event.IngestResult;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.DeliveryAck;
import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The fates of a publisher's batch. Fates become known on any thread; the rest happens on the
 * router's context.
 */
final class PublisherBatch {

  private static final byte[] NONE = {};

  private final Context context;
  private final boolean whenDelivered;
  private final Supplier<@Nullable String> move;
  private byte[] fates;
  private final AtomicInteger open;
  private final AtomicBoolean allTaken = new AtomicBoolean(true);
  private @Nullable Message<?> asking;
  private @Nullable Buffer answer;

  /**
   * @param move where the publisher is asked to go; null if it may stay
   */
  PublisherBatch(
      Context context, int events, boolean whenDelivered, Supplier<@Nullable String> move) {
    this.context = context;
    this.move = move;
    this.whenDelivered = whenDelivered;
    fates = new byte[events];
    // One more, for the batch itself: an empty one must be answered, too.
    open = new AtomicInteger(events + 1);
  }

  List<WaitingRoom.Offer> offers(List<RawEvent> events) {
    List<WaitingRoom.Offer> offers = new ArrayList<>(events.size());
    for (int i = 0; i < events.size(); i++) {
      Fate fate = new Fate(i);
      offers.add(new WaitingRoom.Offer(events.get(i), whenDelivered ? fate : null, fate));
    }
    return offers;
  }

  /**
   * The fate of one event. If memory runs out, it may be told twice: that it is unknown whether the
   * event was taken, and that it is delivered. The first counts.
   */
  private final class Fate implements DeliveryAck, Consumer<IngestResult> {

    private final int place;
    private final AtomicBoolean told = new AtomicBoolean();

    Fate(int place) {
      this.place = place;
    }

    @Override
    public void accept(IngestResult result) {
      if (!result.accepted() || !whenDelivered) {
        tell(result.outcome());
      }
    }

    @Override
    public void delivered(int events) {
      tell(Outcome.ACCEPTED);
    }

    @Override
    public void failed(Outcome why, int events) {
      tell(why);
    }

    private void tell(Outcome fate) {
      if (told.compareAndSet(false, true)) {
        settle(place, fate);
      }
    }
  }

  private void settle(int place, Outcome fate) {
    if (!fate.taken()) {
      fates[place] = fate.wireByte();
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
      String to = move.get();
      asking.reply(
          answer,
          to == null
              ? new DeliveryOptions()
              : new DeliveryOptions().addHeader(PublisherProtocol.MOVE, to));
      asking = null;
    }
  }
}
