package io.shardbus.shard;

import io.shardbus.event.BatchIngestResult;
import io.shardbus.event.IngestResult;
import io.shardbus.event.Intercepted;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.ScalingException.Reason;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The engine: routes events to shards, and keeps the shards. Needs no verticle and no I/O. In
 * static mode the number of shards is fixed; in dynamic mode a {@link ShardMapper} adds and removes
 * them. Safe for any thread; pushing never waits and takes no lock.
 */
public final class ShardManager {

  private final ShardSet set;
  private final BackpressureMode mode;
  private final LongSupplier clock;
  private final Ingestion ingestion;
  private final @Nullable ShardMapper mapper;
  private final @Nullable ScalingMonitor monitor;

  /**
   * Static mode: the shards are active at once and for good.
   *
   * @param numShards 1 to 65535
   * @param ringCapacity events a shard can hold, a power of two, 1024 to 67,108,864
   * @param mode what to do when a ring is full
   */
  public ShardManager(int numShards, int ringCapacity, BackpressureMode mode) {
    this(numShards, ringCapacity, mode, ShardLimits.DEFAULT);
  }

  /**
   * Static mode with limits in bytes.
   *
   * @param numShards 1 to 65535
   * @param ringCapacity events a shard can hold, a power of two, 1024 to 67,108,864
   * @param mode what to do when a ring is full
   * @param limits limits in bytes
   */
  public ShardManager(int numShards, int ringCapacity, BackpressureMode mode, ShardLimits limits) {
    this(numShards, ringCapacity, mode, null, limits, new MonotonicClock(), System::nanoTime);
  }

  /** One clock for everything. */
  ShardManager(
      int numShards,
      int ringCapacity,
      BackpressureMode mode,
      @Nullable ScalingPolicy policy,
      ShardLimits limits,
      LongSupplier clock) {
    this(numShards, ringCapacity, mode, policy, limits, clock, clock);
  }

  /**
   * @param clock gives timestamps, in nanoseconds since the epoch; may step back
   * @param nanoTime measures cooldowns and windows; does not step back
   */
  ShardManager(
      int numShards,
      int ringCapacity,
      BackpressureMode mode,
      @Nullable ScalingPolicy policy,
      ShardLimits limits,
      LongSupplier clock,
      LongSupplier nanoTime) {
    if (numShards < 1 || numShards > ScalingPolicy.MAX_SHARDS) {
      throw new IllegalArgumentException("numShards: " + numShards + " must be 1 to 65535");
    }
    ShardLimits.requireRingCapacity(ringCapacity);
    this.mode = mode;
    this.clock = clock;
    set = new ShardSet(ringCapacity, mode, limits.maxRingBytes(), clock);
    ingestion = new Ingestion(set, limits, clock);
    if (policy == null) {
      mapper = null;
      monitor = null;
      List<Shard> all = set.create(numShards);
      all.forEach(shard -> shard.state(ShardState.ACTIVE));
      Lane[] lanes = all.stream().map(Shard::main).toArray(Lane[]::new);
      set.publish(set.routing().next(lanes, lanes, null));
    } else {
      ScalingPolicy own = new ScalingPolicy(policy).validate();
      own.setMaxShards(Math.max(own.getMaxShards(), numShards));
      mapper = ShardMapper.withShards(numShards, set, own, nanoTime);
      monitor = new ScalingMonitor(set, mapper, nanoTime);
    }
  }

  /**
   * Dynamic mode: shards come and go.
   *
   * @param numShards shards to begin with, active at once, 1 to 65535; lifts the policy's {@code
   *     maxShards} where that is lower
   * @param ringCapacity events a shard can hold, a power of two, 1024 to 67,108,864
   * @param mode what to do when a ring is full
   * @param policy when to add and remove shards; it is copied and validated
   * @return the engine
   * @throws ScalingException INVALID_POLICY
   */
  public static ShardManager withMapper(
      int numShards, int ringCapacity, BackpressureMode mode, ScalingPolicy policy) {
    return withMapper(numShards, ringCapacity, mode, policy, ShardLimits.DEFAULT);
  }

  /**
   * Dynamic mode with limits in bytes.
   *
   * @param numShards as in {@link #withMapper(int, int, BackpressureMode, ScalingPolicy)}
   * @param ringCapacity as there
   * @param mode as there
   * @param policy as there
   * @param limits limits in bytes
   * @return the engine
   */
  public static ShardManager withMapper(
      int numShards,
      int ringCapacity,
      BackpressureMode mode,
      ScalingPolicy policy,
      ShardLimits limits) {
    return new ShardManager(
        numShards, ringCapacity, mode, policy, limits, new MonotonicClock(), System::nanoTime);
  }

  // ---------------------------------------------------------------- what there is

  /** {@return the life of shards; empty in static mode} */
  public Optional<ShardMapper> mapper() {
    return Optional.ofNullable(mapper);
  }

  /** {@return how many shards take events} */
  public int numShards() {
    return mapper == null ? set.all().size() : mapper.activeShardCount();
  }

  /** {@return what is done when a ring is full} */
  public BackpressureMode backpressureMode() {
    return mode;
  }

  /**
   * {@return nanoseconds since the epoch, by the clock that gives events their timestamps; goes
   * back only if the wall clock went back by more than a minute}
   */
  public long nanoTime() {
    return clock.getAsLong();
  }

  /** {@return how often the wall clock went back by more than a minute, and timestamps with it} */
  public long clockStepsBack() {
    return clock instanceof MonotonicClock own ? own.stepsBack() : 0;
  }

  /** {@return the limits in bytes} */
  public ShardLimits limits() {
    return ingestion.limits();
  }

  /**
   * Sets how large an event may be from now on. What is in the rings stays.
   *
   * @param bytes with its key, at least 1, at most what a ring may hold
   * @throws IllegalArgumentException if it is out of range
   */
  public void changeMaxEventBytes(int bytes) {
    ingestion.changeMaxEventBytes(bytes);
  }

  /**
   * The shard with an id.
   *
   * @param id the shard's id
   * @return empty if there is none of that id, or no longer
   */
  public Optional<Shard> shard(int id) {
    return Optional.ofNullable(set.find(id));
  }

  /** {@return the shards there are, in any state: a snapshot, by ascending id} */
  public List<Shard> shards() {
    return List.copyOf(set.all());
  }

  // ---------------------------------------------------------------- routing

  /**
   * The shard that a JSON value would go to.
   *
   * @param json as {@link RawEvent#ofJson} takes it
   * @return the shard's id; -1 if no shard is active
   * @deprecated serialises the value only to hash it: make a {@link RawEvent} once and use {@link
   *     #selectShardByHash} with its hash
   */
  @Deprecated
  @SuppressWarnings("InlineMeSuggester")
  public int selectShard(@Nullable Object json) {
    return selectShardByHash(RawEvent.ofJson(json).hash());
  }

  /**
   * The shard that an event without a key goes to. Static mode: the unsigned high 64 bits of {@code
   * hash * numShards}, also for events with a key.
   *
   * @param hash all 64 bits
   * @return the shard's id; -1 if no shard is active
   */
  public int selectShardByHash(long hash) {
    Lane lane = set.routing().select(hash, false);
    return lane == null ? -1 : lane.owner().id();
  }

  /**
   * The shard that an event goes to. In dynamic mode events with a key may go to another shard than
   * events of the same hash without one, because keys move only if that does not hold them up.
   *
   * @param event the event
   * @return the shard's id; -1 if no shard is active
   */
  public int selectShard(RawEvent event) {
    Lane lane = set.routing().select(event.hash(), event.key() != null);
    return lane == null ? -1 : lane.owner().id();
  }

  /**
   * The ring to which an event goes, for a caller that orders events by ring. If one ring of a
   * shard is full, the others may have room.
   *
   * @param event the event
   * @return stands for the ring; empty if no shard is active
   */
  public Optional<Object> selectLane(RawEvent event) {
    return Optional.ofNullable(set.routing().select(event.hash(), event.key() != null));
  }

  /** {@return a number that changes when {@link #selectShard(RawEvent)} may give another result} */
  public long routingEpoch() {
    return set.routing().epoch();
  }

  // ---------------------------------------------------------------- ingesting

  /**
   * Takes a JSON value.
   *
   * @param json as {@link RawEvent#ofJson} takes it
   * @return what became of it
   */
  public IngestResult ingest(@Nullable Object json) {
    return ingestRaw(RawEvent.ofJson(json));
  }

  /**
   * Takes an event.
   *
   * @param event the event; its bytes are not copied
   * @return what became of it
   */
  public IngestResult ingestRaw(RawEvent event) {
    return ingestRaw(event, null);
  }

  /**
   * Takes an event, and tells its fate later.
   *
   * @param event the event; its bytes are not copied
   * @param ack told the fate of an accepted event, not of a refused one; null to be told nothing
   * @return what became of it
   */
  public IngestResult ingestRaw(RawEvent event, @Nullable DeliveryAck ack) {
    return ingestion.ingestFromOutside(event, ack);
  }

  /**
   * Adds an interceptor behind those there are.
   *
   * @param interceptor called for each event from now on
   * @return removes it
   */
  public Runnable addInterceptor(Interceptor interceptor) {
    return ingestion.interceptors().add(interceptor);
  }

  /**
   * Asks the interceptors. For a caller that then uses {@link #tryIngestRaw}. Nothing is counted.
   *
   * @param event the event
   * @return the event to take instead, or a refusal
   */
  public Intercepted intercept(RawEvent event) {
    return ingestion.interceptors().intercept(event);
  }

  /**
   * Counts an event as refused by an interceptor.
   *
   * @param refusal what {@link #intercept} returned
   * @return INTERCEPTED
   */
  public IngestResult refuse(Intercepted.Refusal refusal) {
    return ingestion.refuse(refusal);
  }

  /**
   * As {@link #ingestRaw(RawEvent, DeliveryAck)}, for a caller that tries again after BACKPRESSURE,
   * SAMPLED or UNROUTED. Such a refusal is not counted, so that each event is counted once. The
   * caller has asked the interceptors before the first try.
   *
   * @param event the event; its bytes are not copied
   * @param ack told the fate of an accepted event, not of a refused one; null to be told nothing
   * @return what became of it
   */
  public IngestResult tryIngestRaw(RawEvent event, @Nullable DeliveryAck ack) {
    return ingestion.ingest(event, ack, false);
  }

  /**
   * As {@link #tryIngestRaw(RawEvent, DeliveryAck)}, but only if the routing has not changed since
   * an epoch. For a caller that orders events by ring.
   *
   * @param event the event; its bytes are not copied
   * @param ack told the fate of an accepted event, not of a refused one; null to be told nothing
   * @param routingEpoch the {@link #routingEpoch()}
   * @return what became of it; null if the routing has changed, and nothing was done
   */
  public @Nullable IngestResult tryIngestRaw(
      RawEvent event, @Nullable DeliveryAck ack, long routingEpoch) {
    return ingestion.ingestBy(routingEpoch, event, ack);
  }

  /**
   * Takes an event with an id only if no event with this id was taken in a window. Before, ids mean
   * nothing to the engine.
   *
   * @param window remembers the ids
   */
  public void rememberIds(IdWindow window) {
    ingestion.remember(window);
  }

  /** {@return the ids that were taken; empty if ids mean nothing here} */
  public Optional<IdWindow> ids() {
    return Optional.ofNullable(ingestion.ids());
  }

  /**
   * Counts an event as refused for want of room. For a caller that has given up.
   *
   * @param event the event
   * @return BACKPRESSURE; UNROUTED or CLOSED if there is no shard for it
   */
  public IngestResult refuse(RawEvent event) {
    return ingestion.refuse(event);
  }

  /**
   * Counts an event as too large. For a caller that saw this before it had read the whole event.
   *
   * @return TOO_LARGE
   */
  public IngestResult refuseTooLarge() {
    return ingestion.refuseTooLarge();
  }

  /**
   * Takes a batch, grouped by shard: one clock read and, in modes drop-newest and fail-producer,
   * one claim of the ring for each shard and 256 events. Events of one shard stay in the order of
   * the list.
   *
   * @param events the events; their bytes are not copied. The list must not change meanwhile
   * @return how many were taken and refused
   * @throws IllegalArgumentException naming the index of an event that is null; none is taken then
   */
  public BatchIngestResult ingestRawBatch(List<RawEvent> events) {
    return ingestRawBatch(events, null);
  }

  /**
   * Takes a batch, and tells the fate of its events later.
   *
   * @param events as in {@link #ingestRawBatch(List)}
   * @param ack told the fate of each accepted event, of neighbours in one call, not of refused
   *     ones; null to be told nothing
   * @return how many were taken and refused
   * @throws IllegalArgumentException as there
   */
  public BatchIngestResult ingestRawBatch(List<RawEvent> events, @Nullable DeliveryAck ack) {
    return ingestion.ingestBatch(events, ack);
  }

  // ---------------------------------------------------------------- the consumer side

  /**
   * Runs code that has the consumer side of a shard to itself. Waits for the current consumer. New
   * events stay in the ring meanwhile, so the code must be brief, above all on an event loop. The
   * code may add, activate and drain shards. It must not wait for the consumer side of another
   * shard.
   *
   * @param id the shard's id
   * @param body what to run
   * @param <R> what it returns
   * @return what it returned; empty if that is null, or if there is no shard with that id
   */
  public <R> Optional<R> withShard(int id, Function<? super Shard, ? extends @Nullable R> body) {
    Shard shard = set.find(id);
    if (shard == null) {
      return Optional.empty();
    }
    shard.consumer().lock();
    try {
      return Optional.ofNullable(body.apply(shard));
    } finally {
      shard.consumer().unlock();
    }
  }

  /** {@return whether no ring holds an event} */
  public boolean allShardsEmpty() {
    return set.all().stream().allMatch(Shard::isEmpty);
  }

  /** {@return events in the rings, counted between two drains: waits for consumers at work} */
  public long totalPendingInRings() {
    long total = 0;
    for (Shard shard : set.all()) {
      shard.consumer().lock();
      try {
        total += shard.size();
      } finally {
        shard.consumer().unlock();
      }
    }
    return total;
  }

  /**
   * {@return the events in the rings that can be counted without waiting, and how many shards are
   * not in it}
   */
  public PendingCount tryTotalPendingInRings() {
    long total = 0;
    int uncounted = 0;
    for (Shard shard : set.all()) {
      if (shard.consumer().tryLock()) {
        try {
          total += shard.size();
        } finally {
          shard.consumer().unlock();
        }
      } else {
        uncounted++;
      }
    }
    return new PendingCount(total, uncounted);
  }

  // ---------------------------------------------------------------- accounts

  /** {@return counts since the start, with the shards that are gone; takes no lock} */
  public ShardStats stats() {
    ShardAccounting total = accounting();
    Refusals refusals = refusals();
    long batches = 0;
    for (ShardLedger ledger : set.ledgers()) {
      batches += ledger.batches.get();
    }
    return new ShardStats(
        total.accepted(),
        total.backpressure()
            + total.sampled()
            + total.evicted()
            + refusals.tooLarge()
            + refusals.closed()
            + refusals.interceptedInAll(),
        batches,
        refusals.unrouted());
  }

  /** {@return where the events of all shards went, with the shards that are gone} */
  public ShardAccounting accounting() {
    return set.accounting();
  }

  /**
   * Where the events of one shard went.
   *
   * @param id the shard's id; it may be gone
   * @return its account; empty if the id was never given
   */
  public Optional<ShardAccounting> accounting(int id) {
    return Optional.ofNullable(set.ledger(id)).map(ShardLedger::accounting);
  }

  /** {@return events that no shard was asked to take, by reason} */
  public Refusals refusals() {
    return new Refusals(
        ingestion.unrouted(),
        ingestion.closed(),
        ingestion.tooLarge(),
        ingestion.interceptors().refusals());
  }

  /**
   * Events that no shard was asked to take.
   *
   * @param unrouted no shard was active
   * @param closed the bus was closed
   * @param tooLarge the event was over the limit
   * @param intercepted an interceptor refused the event, by its reason
   */
  public record Refusals(long unrouted, long closed, long tooLarge, Map<String, Long> intercepted) {

    /** {@return events that an interceptor refused, for any reason} */
    public long interceptedInAll() {
      return intercepted.values().stream().mapToLong(Long::longValue).sum();
    }

    /** {@return events refused, for any reason} */
    public long total() {
      return unrouted + closed + tooLarge + interceptedInAll();
    }
  }

  // ---------------------------------------------------------------- scaling

  /**
   * Makes a shard; it takes no events until it is activated.
   *
   * @return its id
   * @throws ScalingException SCALING_DISABLED, AT_MAX_SHARDS, IN_COOLDOWN, ILLEGAL_STATE once it is
   *     closed
   */
  public int addShard() {
    return requireMapper().scaleUp(1, false).get(0);
  }

  /**
   * Makes a shard, also during the cooldown.
   *
   * @return its id
   * @throws ScalingException SCALING_DISABLED, AT_MAX_SHARDS, ILLEGAL_STATE once it is closed
   */
  public int addShardForce() {
    return requireMapper().scaleUp(1, true).get(0);
  }

  /**
   * Gives a provisioned shard its slots. Does nothing if it is active.
   *
   * @param id the shard's id
   * @throws ScalingException SCALING_DISABLED, UNKNOWN_SHARD, ILLEGAL_STATE if the shard is on its
   *     way out, or once it is closed
   */
  public void activateShard(int id) {
    requireMapper().activate(List.of(id));
  }

  /**
   * Takes a shard out of the routing table and closes it to producers. What it holds can still be
   * drained. Does not wait: the thread that has the consumer side of the shard closes it. A shard
   * that is not active yet is taken back. Does nothing if the shard is draining already.
   *
   * @param id the shard's id
   * @throws ScalingException SCALING_DISABLED, UNKNOWN_SHARD; AT_MIN_SHARDS if it is active and
   *     fewer than {@code minShards} would be left
   */
  public void drainShard(int id) {
    requireMapper().scaleDownShard(id);
  }

  /**
   * Unmaps a shard that is not active. Waits for the consumer at work, as {@link #withShard} does:
   * two threads that have one shard each and remove the other's wait for ever.
   *
   * @param id the shard's id
   * @return the remaining events, in order; they count as delivered, and belong to the caller
   * @throws ScalingException SCALING_DISABLED, UNKNOWN_SHARD, ILLEGAL_STATE if the shard is active,
   *     or some of its keys still wait for another shard
   */
  public List<ShardEvent> removeShard(int id) {
    return requireMapper().remove(id);
  }

  private ShardMapper requireMapper() {
    if (mapper == null) {
      throw new ScalingException(
          Reason.SCALING_DISABLED, "the number of shards is fixed: no scaling policy was given");
    }
    return mapper;
  }

  /**
   * What the shards did in the last metrics window. If the window is over, this ends it and lets
   * the routing table follow the load. Otherwise it returns the earlier result.
   *
   * @return one entry a shard, by ascending id; empty in static mode
   */
  public Optional<List<ShardMetrics>> collectMetrics() {
    return Optional.ofNullable(monitor).map(ScalingMonitor::metrics);
  }

  /**
   * The decision of the policy, by the last metrics window and by a shorter look at the load. It
   * decides once a window and once a look, so that no load counts twice. Call it once per {@link
   * #lookInterval} while events come, and once per metrics window while none come.
   *
   * @return the decision; nothing is changed by it
   */
  public ScalingDecision evaluateScaling() {
    return monitor == null ? ScalingDecision.NONE : monitor.evaluate();
  }

  /**
   * How often {@link #evaluateScaling} has something new to say while events come.
   *
   * @return 50 ms, or 200 microseconds a shard if that is longer; the metrics window if that is
   *     shorter
   * @throws ScalingException SCALING_DISABLED
   */
  public Duration lookInterval() {
    requireMapper();
    return Duration.ofNanos(Objects.requireNonNull(monitor).lookNanos());
  }

  /**
   * {@return what keeps the policy from adding the shards that the load asks for, by the last
   * metrics window; NONE in static mode}
   */
  public ScalingLimit scalingLimit() {
    return monitor == null ? ScalingLimit.NONE : monitor.limit();
  }

  /** {@return {@link #scalingLimit()} in words, with the numbers; empty if nothing limits} */
  public String scalingLimitReason() {
    return monitor == null ? "" : monitor.limitReason();
  }

  /**
   * {@return whether it refuses all events for good, after {@link #refuseAll} or {@link #close}}
   */
  public boolean isClosed() {
    return set.closed();
  }

  /**
   * Refuses new events with CLOSED, for good. No shard can be added or activated any more. Takes no
   * lock and does not wait, so until {@link #close} has returned, a producer may still push an
   * event by the old routing. Idempotent.
   */
  public void refuseAll() {
    set.publishClosed();
  }

  /**
   * Refuses new events with CLOSED, for good, and closes each shard to producers; the thread that
   * has its consumer side does that. The events in the rings can still be drained. Idempotent.
   *
   * @return whether all shards are closed to producers already
   */
  public boolean close() {
    refuseAll();
    set.awaitBatches();
    set.all().forEach(Shard::requestSeal);
    return set.all().stream().allMatch(Shard::isSealed);
  }

  /**
   * Events whose fate is open, of all shards, also of removed ones. The count may be too high,
   * never too low. If it is 0 for a shard, and no event can come, all events are settled.
   *
   * @return how many, by ascending id, without the shards that have none
   */
  public Map<Integer, Long> pending() {
    Map<Integer, Long> pending = new LinkedHashMap<>();
    set.ledgersById()
        .forEach(
            (id, ledger) -> {
              ShardAccounting account = ledger.accounting();
              // Not what is in the ring and in flight: an event may go from one to the other
              // between the two.
              long open =
                  account.accepted()
                      - account.evicted()
                      - account.delivered()
                      - account.deadLettered();
              if (open > 0) {
                pending.put(id, open);
              }
            });
    return pending;
  }
}
