package io.shardbus.sink.eventbus;

import io.shardbus.event.Batch;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.function.Function;

/**
 * A member of the group that consumes what an event-bus sink writes. Its handler is given a batch
 * at a time of a shard, in order, and acknowledges it by the future it returns; until then it holds
 * one of the consumer's credits. A batch can come again after a fault, perhaps to another member:
 * {@link Batch#deduplicationId} recognises it.
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
   * @param credits how many batches may be in the handler's hands at once, at least 1
   * @param handler takes a batch, on the context from which this method is called if there is one,
   *     and completes when the batch is done with. A failure has the batch sent again; a {@link
   *     io.shardbus.sink.SinkException} of kind PERMANENT has it sent in halves, until the events
   *     to blame stand alone and are dead-lettered; one of kind PARTIAL concerns only the events
   *     that it names, and, if it may pass, later events of the same keys: these come again, behind
   *     them
   * @return the consumer, once the sinks can send to it
   */
  public static Future<EventBusConsumer> start(
      Vertx vertx, String address, int credits, Function<Batch, Future<Void>> handler) {
    if (address.isBlank()) {
      throw new IllegalArgumentException("address: must not be empty");
    }
    if (credits < 1) {
      throw new IllegalArgumentException("credits: " + credits + " must be at least 1");
    }
    Context caller = Vertx.currentContext();
    MemberVerticle member = new MemberVerticle(address, credits, handler, caller);
    return vertx
        .deployVerticle(member)
        .map(deployment -> new EventBusConsumer(vertx, member, deployment));
  }

  /**
   * Leaves the group: takes no more batches, and waits for those in the handler's hands.
   *
   * @return completes when they are answered
   */
  public Future<Void> stop() {
    return member.leave().eventually(() -> vertx.undeploy(deployment));
  }
}
