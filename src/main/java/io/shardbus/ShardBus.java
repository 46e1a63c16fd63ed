package io.shardbus;

import io.shardbus.event.BatchIngestResult;
import io.shardbus.event.IngestResult;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.DeliveryAck;
import io.shardbus.shard.ScalingException;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.shard.ShardManager;
import io.shardbus.sink.DeadLetters;
import io.shardbus.sink.Sink;
import io.shardbus.sink.Sinks;
import io.shardbus.verticle.DeliveryObserver;
import io.shardbus.verticle.ScalingHistory;
import io.shardbus.verticle.SinkHealth;
import io.shardbus.verticle.WaitingRoom;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.streams.WriteStream;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.ServiceConfigurationError;
import org.jspecify.annotations.Nullable;

/**
 * A running bus: takes events, routes each to a shard, and delivers each shard's events in order,
 * in batches, to the sink. Safe for any thread. Nothing that was accepted is lost: it is delivered,
 * dead-lettered, or evicted by mode drop-oldest and counted. Its futures are answered on the
 * context of the caller, as those of Vert.x are.
 */
public interface ShardBus {

  /**
   * Starts a bus with the sink that the options name.
   *
   * @param vertx where its verticles run
   * @param options how it works; copied
   * @return the bus; fails with an {@link IllegalArgumentException} that names the option if the
   *     options are bad (a {@link ScalingException} of reason INVALID_POLICY if it is the scaling
   *     policy), or with what the sink says if it cannot work. Nothing is left running then
   */
  static Future<ShardBus> start(Vertx vertx, ShardBusOptions options) {
    Sink sink;
    try {
      sink = Sinks.create(options.getSink());
    } catch (RuntimeException | ServiceConfigurationError | LinkageError e) {
      return Future.failedFuture(e);
    }
    return start(vertx, options, sink);
  }

  /**
   * Starts a bus with a sink of the caller's.
   *
   * @param vertx where its verticles run
   * @param options how it works; copied. The sink that they name is not used
   * @param sink where events go; the bus opens and closes it
   * @return the bus; fails as {@link #start(Vertx, ShardBusOptions)} does
   */
  static Future<ShardBus> start(Vertx vertx, ShardBusOptions options, Sink sink) {
    return BusStarter.start(vertx, options, sink);
  }

  /**
   * The engine.
   *
   * @return rings, routing and accounts
   */
  ShardManager shards();

  /**
   * The sink.
   *
   * @return as it was given or chosen
   */
  Sink sink();

  /**
   * Takes an event. Never blocks.
   *
   * @param event the event; its bytes must not be changed afterwards
   * @return what became of it; a refusal is a value, not an exception
   */
  IngestResult ingest(RawEvent event);

  /**
   * Takes an event whose fate the caller wants to know. Never blocks.
   *
   * @param event the event; its bytes must not be changed afterwards
   * @param ack told of an accepted event's fate, not of a refusal; null if nobody asks
   * @return what became of it
   */
  IngestResult ingest(RawEvent event, @Nullable DeliveryAck ack);

  /**
   * Takes several events, at less cost than one by one. Never blocks.
   *
   * @param events the events; those of one key are delivered in this order, and those of one shard
   *     unless keys have just moved. The list must not change before this returns
   * @return how many were taken and refused
   * @throws IllegalArgumentException naming the index of an event that is null; none is taken then
   */
  BatchIngestResult ingestBatch(List<RawEvent> events);

  /**
   * Takes several events whose fate the caller wants to know. Never blocks.
   *
   * @param events as in {@link #ingestBatch(List)}
   * @param ack told of each accepted event's fate, of neighbours in one call; null if nobody asks
   * @return how many were taken and refused
   * @throws IllegalArgumentException as there
   */
  BatchIngestResult ingestBatch(List<RawEvent> events, @Nullable DeliveryAck ack);

  /**
   * Takes an event when there is room for it, in every backpressure mode. Events of a shard that
   * wait so, in streams, or for publishers, are served in their order, whoever handed them in.
   *
   * @param event the event
   * @return completes with ACCEPTED when it is in a ring; fails with a {@link
   *     NotDeliveredException}: TOO_LARGE or CLOSED, for which waiting is no help; BACKPRESSURE if
   *     65,536 events, or {@code maxRingBytes} of them, wait already
   */
  Future<IngestResult> ingestAwait(RawEvent event);

  /**
   * Takes an event if there is room for it in time; else it never gets in.
   *
   * @param event the event
   * @param patience how long it may wait; zero to try once
   * @return completes with ACCEPTED when it is in a ring; fails with a {@link
   *     NotDeliveredException} that says why it was refused, BACKPRESSURE when the time is over
   */
  Future<IngestResult> ingestAwait(RawEvent event, Duration patience);

  /**
   * Takes an event if there is room for it before somebody thinks better of it; else it never gets
   * in.
   *
   * @param event the event
   * @param cancel once it is complete, however, the event waits no longer; for example the end of
   *     the request that the event came with
   * @return completes with ACCEPTED when it is in a ring; fails with a {@link
   *     NotDeliveredException} that says why it was refused, BACKPRESSURE when it was cancelled
   */
  Future<IngestResult> ingestAwait(RawEvent event, Future<?> cancel);

  /**
   * Takes an event, if there is room for it now, and waits until the sink has confirmed it.
   *
   * @param event the event
   * @return completes with ACCEPTED when the sink has confirmed the event; fails with a {@link
   *     NotDeliveredException} that says why it will not be delivered
   */
  Future<IngestResult> deliver(RawEvent event);

  /**
   * Takes an event when there is room for it, as {@link #ingestAwait(RawEvent)} does, and waits
   * until the sink has confirmed it.
   *
   * @param event the event
   * @return completes with ACCEPTED when the sink has confirmed the event; fails with a {@link
   *     NotDeliveredException} that says why it will not be delivered
   */
  Future<IngestResult> deliverAwait(RawEvent event);

  /**
   * A stream into the bus, with flow control: it is full while a shard has no room. Events wait
   * inside, in order, and are not refused for want of room. To be used by one thread at a time.
   *
   * @return a new stream; ending it does not close the bus
   */
  WriteStream<RawEvent> writeStream();

  /**
   * Where events wait for room, whoever handed them in: those of {@link #ingestAwait}, {@link
   * #deliverAwait} and streams, of publishers, and of a gateway's clients.
   *
   * @return the waiting room of this bus
   */
  WaitingRoom waitingRoom();

  /**
   * Adds shards: all of them, or none.
   *
   * @param count how many, at least 1
   * @return their ids, once they are active; fails with a {@link ScalingException}, or with what
   *     kept a shard's verticle from being deployed
   */
  Future<List<Integer>> scaleUp(int count);

  /**
   * Removes shards, those with the least to deliver first.
   *
   * @param count how many, at least 1
   * @return their ids, once all that they held is delivered and they are gone; fails with a {@link
   *     ScalingException}
   */
  Future<List<Integer>> scaleDown(int count);

  /**
   * Removes one shard. Asking again while it goes joins the first request.
   *
   * @param id the shard's id
   * @return completes when all that it held is delivered and it is gone; fails with a {@link
   *     ScalingException}
   */
  Future<Void> removeShard(int id);

  /**
   * The requests to add and remove shards, by callers and by the policy.
   *
   * @return the live history
   */
  ScalingHistory scalings();

  /**
   * The scaling policy in force.
   *
   * @return a copy
   * @throws ScalingException SCALING_DISABLED if the number of shards is fixed
   */
  ScalingPolicy scalingPolicy();

  /**
   * Sets another scaling policy, while events flow. No shard comes or goes by that alone; the next
   * request, and the next evaluation, follow it.
   *
   * @param policy copied and validated
   * @throws ScalingException SCALING_DISABLED if the number of shards is fixed; INVALID_POLICY if
   *     its options contradict each other, or {@code maxShards} is more than the routing table was
   *     made for at the start
   */
  void changeScalingPolicy(ScalingPolicy policy);

  /**
   * Has somebody told of deliveries.
   *
   * @param observer whom to tell from now on
   * @return stops telling it
   */
  Runnable observe(DeliveryObserver observer);

  /**
   * Writes out what has been accepted.
   *
   * @return completes when every event accepted before the call is delivered, dead-lettered or
   *     evicted
   */
  Future<Void> flush();

  /**
   * The events that the sink would not take.
   *
   * @return in a file of the data folder; without one, the newest, in memory
   */
  DeadLetters deadLetters();

  /**
   * Hands all dead letters to the bus again, as new events with the same bytes and key, and removes
   * each when the sink has confirmed it. One that is refused again is a new dead letter.
   *
   * @return completes when the fate of all is known; fails if a replay is under way
   */
  Future<DeadLetterReplay.Result> replayDeadLetters();

  /**
   * Hands some dead letters to the bus again, as {@link #replayDeadLetters()} does.
   *
   * @param ids which; those that are not there are passed over
   * @return completes when the fate of all is known; fails if a replay is under way
   */
  Future<DeadLetterReplay.Result> replayDeadLetters(Collection<Long> ids);

  /**
   * What the bus has done and holds.
   *
   * @return a snapshot; exact while nothing is under way
   */
  BusStats stats();

  /**
   * How a shard gets on with the sink.
   *
   * @param shard its id
   * @return its circuit and failures; {@link SinkHealth#GOOD} if there is no such shard
   */
  SinkHealth sinkHealth(int shard);

  /**
   * Refuses new events with CLOSED, delivers what was accepted, and releases everything. Later
   * calls get the same answer.
   *
   * @return completes when it is done; fails if events could not be delivered within {@code
   *     closeTimeout}, and says how many
   */
  Future<Void> close();
}
