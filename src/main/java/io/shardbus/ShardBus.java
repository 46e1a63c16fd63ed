package io.shardbus;

import io.shardbus.event.BatchIngestResult;
import io.shardbus.event.ClusterNode;
import io.shardbus.event.IngestResult;
import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.DeliveryAck;
import io.shardbus.shard.Interceptor;
import io.shardbus.shard.ScalingException;
import io.shardbus.shard.ScalingHistory;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.shard.ShardManager;
import io.shardbus.sink.DeadLetters;
import io.shardbus.sink.DeliveryObserver;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkHealth;
import io.shardbus.sink.Sinks;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.streams.WriteStream;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
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
   * @return the bus. Fails with an {@link IllegalArgumentException} that names the option if an
   *     option is bad, with an {@link IllegalStateException} if another bus of this Vert.x has the
   *     address, with a {@link ScalingException} of reason INVALID_POLICY if the scaling policy is
   *     bad, or with the failure of the sink. After a failure nothing is left running
   */
  static Future<ShardBus> start(Vertx vertx, ShardBusOptions options) {
    Sink sink;
    try {
      sink = Sinks.create(options.getSink());
    } catch (RuntimeException | LinkageError e) {
      return Future.failedFuture(e);
    }
    return start(vertx, options, sink);
  }

  /**
   * Starts a bus with the given sink.
   *
   * @param vertx where its verticles run
   * @param options how it works; copied. Their sink is ignored
   * @param sink where events go; the bus opens and closes it
   * @return the bus; fails as {@link #start(Vertx, ShardBusOptions)} does
   */
  static Future<ShardBus> start(Vertx vertx, ShardBusOptions options, Sink sink) {
    return BusStarter.start(vertx, options, sink);
  }

  /**
   * Finds a running bus. In a cluster it finds those of this node only.
   *
   * @param vertx where the bus was started
   * @param address the {@code address} of its options
   * @return the bus; empty if none has the address, if it still starts, or if it is closed
   */
  static Optional<ShardBus> find(Vertx vertx, String address) {
    return Claim.find(vertx, address);
  }

  /** {@return its address on the event bus. No other bus of the same Vert.x has it} */
  String address();

  /** {@return the engine: rings, routing and accounts} */
  ShardManager shards();

  /** {@return the sink: the given one, or the one that the options chose} */
  Sink sink();

  /**
   * Takes an event. Never blocks.
   *
   * @param event the event; its bytes must not be changed afterwards
   * @return what became of it; a refusal is a value, not an exception
   */
  IngestResult ingest(RawEvent event);

  /**
   * Takes an event, and tells its fate later. Never blocks.
   *
   * @param event the event; its bytes must not be changed afterwards
   * @param ack told the fate of an accepted event, not of a refused one; null to be told nothing
   * @return what became of it
   */
  IngestResult ingest(RawEvent event, @Nullable DeliveryAck ack);

  /**
   * Takes several events. Costs less than one call for each. Never blocks.
   *
   * @param events the events. Events with the same key are delivered in this order; so are events
   *     of one shard, unless keys have just moved. The list must not change before this returns
   * @return how many were taken and refused
   * @throws IllegalArgumentException naming the index of an event that is null; none is taken then
   */
  BatchIngestResult ingestBatch(List<RawEvent> events);

  /**
   * Takes several events, and tells their fate later. Never blocks.
   *
   * @param events as in {@link #ingestBatch(List)}
   * @param ack told the fate of each accepted event, of neighbours in one call; null to be told
   *     nothing
   * @return how many were taken and refused
   * @throws IllegalArgumentException as {@link #ingestBatch(List)}
   */
  BatchIngestResult ingestBatch(List<RawEvent> events, @Nullable DeliveryAck ack);

  /**
   * Takes an event, and waits for room if there is none, in every backpressure mode. Events that
   * wait for the same shard are served in the order in which they came. Streams and publishers wait
   * in the same order.
   *
   * @param event the event
   * @return completes with ACCEPTED when the event is in a ring. Fails with a {@link
   *     NotDeliveredException}: TOO_LARGE, INTERCEPTED or CLOSED at once, as waiting does not help;
   *     BACKPRESSURE if 65,536 events, or {@code maxRingBytes} of them, wait already
   */
  Future<IngestResult> ingestAwait(RawEvent event);

  /**
   * Takes an event, and waits for room for a limited time.
   *
   * @param event the event
   * @param patience how long it may wait; zero to try once
   * @return completes with ACCEPTED when the event is in a ring. Fails with a {@link
   *     NotDeliveredException} that says why it was refused: BACKPRESSURE if the time is over. An
   *     event that failed never enters a ring later
   */
  Future<IngestResult> ingestAwait(RawEvent event, Duration patience);

  /**
   * Takes an event, and waits for room until the caller cancels.
   *
   * @param event the event
   * @param cancel the event stops waiting when this future completes, with a result or a failure.
   *     An example is the end of the request that brought the event
   * @return completes with ACCEPTED when the event is in a ring. Fails with a {@link
   *     NotDeliveredException} that says why it was refused: BACKPRESSURE if it was cancelled. An
   *     event that failed never enters a ring later
   */
  Future<IngestResult> ingestAwait(RawEvent event, Future<?> cancel);

  /**
   * Takes an event if there is room for it now, and waits until the sink has confirmed it.
   *
   * @param event the event
   * @return completes with ACCEPTED when the sink has confirmed the event; fails with a {@link
   *     NotDeliveredException} that says why it will not be delivered
   */
  Future<IngestResult> deliver(RawEvent event);

  /**
   * Takes an event, waits for room as {@link #ingestAwait(RawEvent)} does, and waits until the sink
   * has confirmed it.
   *
   * @param event the event
   * @return completes with ACCEPTED when the sink has confirmed the event; fails with a {@link
   *     NotDeliveredException} that says why it will not be delivered
   */
  Future<IngestResult> deliverAwait(RawEvent event);

  /**
   * A stream into the bus, with flow control. The stream is full while too many of its events wait
   * for room. One thread at a time may use it.
   *
   * @return a new stream; ending it does not close the bus
   */
  WriteStream<RawEvent> writeStream();

  /**
   * Adds shards: all of them, or none.
   *
   * @param count how many, at least 1
   * @return their ids, once they are active. Fails with a {@link ScalingException}, or with the
   *     failure of a deployment
   */
  Future<List<Integer>> scaleUp(int count);

  /**
   * Removes shards, those with the least to deliver first.
   *
   * @param count how many, at least 1
   * @return their ids, once they have delivered all they held and are gone. Fails with a {@link
   *     ScalingException}
   */
  Future<List<Integer>> scaleDown(int count);

  /**
   * Removes one shard. A second call for the same shard joins the first one.
   *
   * @param id the shard's id
   * @return completes when the shard has delivered all it held and is gone. Fails with a {@link
   *     ScalingException}
   */
  Future<Void> removeShard(int id);

  /**
   * {@return the live history of requests to add and remove shards, by callers and by the policy}
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
   * Sets another scaling policy while events flow. This alone adds or removes no shard. The next
   * request and the next evaluation follow the new policy.
   *
   * @param policy copied and validated
   * @throws ScalingException SCALING_DISABLED if the number of shards is fixed; INVALID_POLICY if
   *     its options contradict each other, or if {@code maxShards} is beyond the size of the
   *     routing table, which is fixed at the start
   */
  void changeScalingPolicy(ScalingPolicy policy);

  /**
   * Adds an interceptor: it passes, replaces or refuses each event before it is routed, by
   * whichever way the event comes. Interceptors are called in the order in which they were added;
   * one that refuses ends the row. Replayed dead letters are not intercepted again. A refused event
   * counts in {@link BusStats#refusals} under the reason of its interceptor, and its sender gets
   * the outcome INTERCEPTED. An example: {@code bus.intercept(event -> event.key() == null ?
   * Intercepted.refuse("no_key") : event)}.
   *
   * @param interceptor called for each event from now on
   * @return removes the interceptor
   */
  Runnable intercept(Interceptor interceptor);

  /**
   * Adds an observer of deliveries.
   *
   * @param observer told of each delivery from now on
   * @return removes the observer
   */
  Runnable observe(DeliveryObserver observer);

  /**
   * Delivers what has been accepted.
   *
   * @return completes when every event accepted before the call is delivered, dead-lettered or
   *     evicted, also while the bus closes; fails if it closes and cannot deliver all of them
   */
  Future<Void> flush();

  /**
   * The events that the sink refused for good.
   *
   * @return the dead letters: in a file of the data folder, or, without a data folder, the newest
   *     in memory
   */
  DeadLetters deadLetters();

  /**
   * Hands all dead letters to the bus again, as new events with the same bytes and key. Each is
   * removed when the sink has confirmed it. If the sink refuses it again, it becomes a new dead
   * letter.
   *
   * @return completes when the fate of all is known; fails if a replay is under way
   */
  Future<DeadLetters.ReplayResult> replayDeadLetters();

  /**
   * Hands some dead letters to the bus again, as {@link #replayDeadLetters()} does.
   *
   * @param ids which; unknown ids are ignored
   * @return completes when the fate of all is known; fails if a replay is under way
   */
  Future<DeadLetters.ReplayResult> replayDeadLetters(Collection<Long> ids);

  /**
   * The buses of the Vert.x cluster that serve the same address, this one first. Each of them with
   * routers is known from a second after its start. One that hangs or was killed stays in the list
   * for ten minutes, without a report.
   *
   * <p>A report has the numbers {@code shards} (active), {@code accepted}, {@code refused}, {@code
   * delivered}, {@code deadLettered}, {@code lag} (accepted, and not settled yet) and {@code
   * sinkFailing} (shards whose sink fails), the name of the {@code sink}, its last {@code error} if
   * it fails, and {@code notReady} if {@link #notReady} has a reason.
   *
   * @return completes within about a second
   */
  Future<List<ClusterNode>> nodes();

  /**
   * Whether it makes sense to send events now.
   *
   * @return why not, in words: it is closed, no shard is active, the sink keeps failing, or all
   *     rings are full; empty if it does. Names the sink, but does not quote it
   */
  Optional<String> notReady();

  /** {@return what the bus has done and holds: a snapshot, exact while nothing is under way} */
  BusStats stats();

  /**
   * The state of the connection between a shard and the sink.
   *
   * @param shard its id
   * @return its circuit and its failures; {@link SinkHealth#GOOD} if there is no such shard
   */
  SinkHealth sinkHealth(int shard);

  /**
   * Refuses new events with CLOSED, delivers what was accepted, and releases everything. Later
   * calls get the same answer.
   *
   * @return completes when everything is delivered and released. Fails if events could not be
   *     delivered within {@code closeTimeout}, and says how many
   */
  Future<Void> close();
}
