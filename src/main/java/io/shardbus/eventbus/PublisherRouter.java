package io.shardbus.eventbus;

import io.shardbus.event.Outcome;
import io.vertx.core.AsyncResult;
import io.vertx.core.Context;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.json.JsonObject;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A router as its publisher sees it. Runs on one context. */
final class PublisherRouter {

  /** One lost question says nothing, nor does a publisher that was itself stopped for a while. */
  private static final int FEW = 2;

  final String publisher;
  final String address;

  /** Recognises ids, whichever router takes an event; null if it does not. */
  @Nullable String store;

  /** The number of the next batch. */
  long next;

  /** Since when there is nobody at the address; 0 if somebody is. */
  long missingSince;

  /** It takes no more batches. */
  boolean over;

  /** It does not know the publisher any more, but may still hold its events. */
  boolean forgetful;

  /** What it took before it was over must be settled before another router gets the rest. */
  boolean closing;

  /** The address of the router to which the publisher shall move; null to stay. */
  @Nullable String moveTo;

  private final Vertx vertx;
  private final Context context;
  private final long silenceMillis;
  private final long questionMillis;
  private long heard = System.nanoTime();
  private int unanswered;
  private boolean asking;

  /** All batches before this one are settled; -1 if it has not said so of any. */
  private long settledBefore = -1;

  /**
   * @param silenceMillis after how much silence it counts as hung
   * @param questionMillis how long an answer to a question may take; it is asked after as much
   *     silence
   */
  PublisherRouter(
      Vertx vertx,
      Context context,
      String publisher,
      String address,
      long silenceMillis,
      long questionMillis) {
    this.vertx = vertx;
    this.context = context;
    this.publisher = publisher;
    this.address = address;
    this.silenceMillis = silenceMillis;
    this.questionMillis = questionMillis;
  }

  void heard() {
    heard = System.nanoTime();
    missingSince = 0;
    unanswered = 0;
  }

  private long silentMillis() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - heard);
  }

  boolean isHung() {
    return unanswered >= FEW && silentMillis() >= silenceMillis;
  }

  /** Why an event that waits for it was not taken in time. */
  Outcome absence() {
    if (silentMillis() >= 2 * questionMillis || missingSince != 0) {
      return Outcome.NO_BUS;
    }
    return closing ? Outcome.CLOSED : Outcome.BACKPRESSURE;
  }

  /** It is also silent while batches wait there for room or for a sink, so it is asked. */
  void askIfSilent() {
    if (silentMillis() >= questionMillis) {
      ask(PublisherProtocol.ALIVE, answer -> {});
    }
  }

  /** Asks unless it has said so already; goes on asking with every call. */
  boolean isSettled() {
    if (settledBefore != next) {
      long before = next;
      ask(
          PublisherProtocol.SETTLED,
          answer -> {
            boolean gone =
                answer.cause() instanceof ReplyException failure
                    && failure.failureType() == ReplyFailure.NO_HANDLERS;
            boolean yes =
                answer.succeeded()
                    && Boolean.TRUE.equals(
                        answer.result().body().getBoolean(PublisherProtocol.SETTLED));
            if (gone || yes || isHung()) {
              settledBefore = before;
            }
          });
    }
    return settledBefore == next;
  }

  /** One question at a time. */
  private void ask(String question, Handler<AsyncResult<Message<JsonObject>>> then) {
    if (asking) {
      return;
    }
    asking = true;
    PublisherProtocol.<JsonObject>request(
            vertx,
            address,
            null,
            new DeliveryOptions()
                .setSendTimeout(questionMillis)
                .addHeader(PublisherProtocol.PUBLISHER, publisher)
                .addHeader(PublisherProtocol.ASK, question))
        .onComplete(answer -> context.runOnContext(now -> answered(answer, then)));
  }

  private void answered(
      AsyncResult<Message<JsonObject>> answer, Handler<AsyncResult<Message<JsonObject>>> then) {
    asking = false;
    if (answer.succeeded()) {
      heard();
    } else {
      unanswered++;
    }
    then.handle(answer);
  }
}
