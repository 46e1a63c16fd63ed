package io.shardbus.sink.eventbus;

import io.shardbus.event.Batch;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A member of the group that takes the batches of an event-bus sink. Its handler gets the batches
 * of a shard in order, one at a time, and acknowledges each with the future that it returns. Until
 * then the batch holds one of the consumer's credits. After a fault a batch can come again, perhaps
 * to another member: {@link Batch#deduplicationId} recognises it.
 */
public final class EventBusConsumer {

  /** How often a consumer says that it is alive. */
  public static final Duration HEARTBEAT = Protocol.HEARTBEAT;

  private final Vertx vertx;
  private final MemberVerticle member;
  private final String deployment;

  private EventBusConsumer(Vertx vertx, MemberVerticle member, String deployment) {
    this.vertx = vertx;
    this.member = member;
    this.deployment = deployment;
  }

  /**
   * Joins the group at an address. If it is called from a verticle, the consumer ends with the
   * verticle.
   *
   * @param vertx a Vert.x instance of the cluster the sink is in, or the sink's own
   * @param address the sink's address
   * @param credits how many batches the handler may have at once, at least 1
   * @param handler takes a batch, on the context from which this method is called if there is one,
   *     and completes when the batch is done. After a failure the batch comes again. After a {@link
   *     io.shardbus.sink.SinkException} of kind PERMANENT the batch comes in halves, until the
   *     events to blame stand alone and are dead-lettered. A failure of kind PARTIAL concerns only
   *     the events that it names. If its cause may pass, later events of the same keys come again
   *     behind them
   * @return the consumer, once the sinks can send to it
   */
  public static Future<EventBusConsumer> start(
      Vertx vertx, String address, int credits, Function<Batch, Future<Void>> handler) {
    return start(vertx, address, credits, null, handler);
  }

  /**
   * The same at a sink that asks for a secret. A consumer that does not know it gets no batches,
   * and logs an error once.
   *
   * @param vertx a Vert.x instance of the cluster the sink is in, or the sink's own
   * @param address the sink's address
   * @param credits how many batches the handler may have at once, at least 1
   * @param secret the option {@code secret} of the sink; null for none
   * @param handler takes a batch
   * @return the consumer, once the sinks can send to it
   */
  public static Future<EventBusConsumer> start(
      Vertx vertx,
      String address,
      int credits,
      @Nullable String secret,
      Function<Batch, Future<Void>> handler) {
    if (address.isBlank()) {
      throw new IllegalArgumentException("address: must not be empty");
    }
    if (credits < 1) {
      throw new IllegalArgumentException("credits: " + credits + " must be at least 1");
    }
    Context caller = Vertx.currentContext();
    MemberVerticle member = new MemberVerticle(address, credits, secret, handler, caller);
    return vertx
        .deployVerticle(member)
        .map(deployment -> new EventBusConsumer(vertx, member, deployment));
  }

  /**
   * Leaves the group: takes no more batches, and waits for the batches that the handler has.
   *
   * @return completes when they are answered
   */
  public Future<Void> stop() {
    return member.leave().eventually(() -> vertx.undeploy(deployment));
  }
}
