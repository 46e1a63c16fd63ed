package io.shardbus.shard;

import io.shardbus.event.BatchIngestResult;
import io.shardbus.event.Headers;
import io.shardbus.event.IngestResult;
import io.shardbus.event.Intercepted;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The way of events into the rings. Safe for any thread; never waits. */
final class Ingestion {

  /** Small, so that finding an event's group stays cheap with many shards. */
  private static final int BATCH_CHUNK = 256;

  /** 2^64 divided by the golden ratio: its multiples are spread evenly, whatever their step. */
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  /**
   * A push answers with one number: the outcome, and below it the shard, or that none was asked.
   */
  private static final int OUTCOME_SHIFT = 16;

  private static final int NO_SHARD = (1 << OUTCOME_SHIFT) - 1;

  /** In place of an answer: the routing has changed since the epoch. */
  private static final int REROUTED = -1;

  /** By the current routing. */
  private static final long ANY_EPOCH = Long.MIN_VALUE;

  /** For want of memory for the result with the shard and the time. */
  private static final IngestResult ACCEPTED = new IngestResult(Outcome.ACCEPTED, -1, 0);

  private static final Outcome[] OUTCOMES = Outcome.values();

  private final ShardSet set;
  private final LongSupplier clock;
  private volatile ShardLimits limits;

  private final LongAdder unrouted = new LongAdder();
  private final LongAdder closed = new LongAdder();
  private final LongAdder tooLarge = new LongAdder();

  private final Interceptors interceptors = new Interceptors();

  /** Null while ids mean nothing here. */
  private volatile @Nullable IdWindow ids;

  Ingestion(ShardSet set, ShardLimits limits, LongSupplier clock) {
    this.set = set;
    this.limits = limits;
    this.clock = clock;
  }

  ShardLimits limits() {
    return limits;
  }

  void changeMaxEventBytes(int bytes) {
    limits = new ShardLimits(bytes, limits.maxRingBytes(), limits.json());
  }

  /** Events for which no shard was active. */
  long unrouted() {
    return unrouted.sum();
  }

  /** Events that came after the end. */
  long closed() {
    return closed.sum();
  }

  /** Events over the limit. */
  long tooLarge() {
    return tooLarge.sum();
  }

  Interceptors interceptors() {
    return interceptors;
  }

  IngestResult refuse(Intercepted.Refusal refusal) {
    interceptors.count(refusal);
    return IngestResult.intercepted(refusal);
  }

  void remember(IdWindow window) {
    ids = window;
  }

  @Nullable IdWindow ids() {
    return ids;
  }

  /** Counts an event as refused for want of room. */
  IngestResult refuse(RawEvent event) {
    RoutingTable table = set.routing();
    Lane lane = table.select(event.hash(), event.key() != null);
    if (lane == null) {
      return IngestResult.refused(noShard(table, true));
    }
    lane.refuse();
    return new IngestResult(Outcome.BACKPRESSURE, lane.owner().id(), 0);
  }

  IngestResult refuseTooLarge() {
    tooLarge.increment();
    return IngestResult.refused(Outcome.TOO_LARGE);
  }

  IngestResult ingestFromOutside(RawEvent event, @Nullable DeliveryAck ack) {
    if (interceptors.isEmpty()) {
      return ingest(event, ack, true);
    }
    Intercepted answer = interceptors.intercept(event);
    return answer instanceof Intercepted.Refusal refusal
        ? refuse(refusal)
        : ingest((RawEvent) answer, ack, true);
  }

  /**
   * Kept apart from {@link #push}, and small, with one place that makes the result: so the compiler
   * can do without the objects of a caller that looks at the result and forgets it.
   */
  IngestResult ingest(RawEvent event, @Nullable DeliveryAck ack, boolean countRefusal) {
    String id = event.id();
    IdWindow window = id == null ? null : ids;
    if (id != null && window != null) {
      return Objects.requireNonNull(ingestOnce(ANY_EPOCH, event, id, window, ack, countRefusal));
    }
    long timestamp = clock.getAsLong();
    return result(push(event, timestamp, ack, countRefusal, ANY_EPOCH), timestamp);
  }

  /**
   * Takes an event if the routing has not changed since an epoch. For a caller that tries again.
   *
   * @return null if the routing is another
   */
  @Nullable IngestResult ingestBy(long epoch, RawEvent event, @Nullable DeliveryAck ack) {
    String id = event.id();
    IdWindow window = id == null ? null : ids;
    return id != null && window != null
        ? ingestOnce(epoch, event, id, window, ack, false)
        : ingestBy(epoch, event, ack, false);
  }

  private @Nullable IngestResult ingestBy(
      long epoch, RawEvent event, @Nullable DeliveryAck ack, boolean countRefusal) {
    long timestamp = clock.getAsLong();
    int answer = push(event, timestamp, ack, countRefusal, epoch);
    try {
      return answer == REROUTED ? null : result(answer, timestamp);
    } catch (OutOfMemoryError e) {
      if (OUTCOMES[answer >>> OUTCOME_SHIFT] == Outcome.ACCEPTED) {
        return ACCEPTED; // it is in a ring: the caller must not try again
      }
      throw e;
    }
  }

  /** Takes an event unless one with its id was taken in the window. */
  private @Nullable IngestResult ingestOnce(
      long epoch,
      RawEvent event,
      String id,
      IdWindow window,
      @Nullable DeliveryAck ack,
      boolean countRefusal) {
    while (!window.isRecalling()) {
      IdClaim claim = window.claim(id, ack);
      IdWindow.Taken taken = window.enter(claim);
      if (taken == null) {
        return ingestClaimed(epoch, event, claim, countRefusal);
      }
      IdClaim first = taken.open();
      IdClaim.Found found = first == null ? IdClaim.Found.DELIVERED : first.join(ack);
      if (found == IdClaim.Found.OFFERED) {
        break;
      }
      if (found != IdClaim.Found.FREE) {
        window.countDuplicate();
        if (found == IdClaim.Found.DELIVERED) {
          Acks.tell(ack, 1, null);
        }
        return first == null
            ? new IngestResult(Outcome.DUPLICATE, taken.shard(), taken.timestamp())
            : new IngestResult(Outcome.DUPLICATE, first.shard(), first.timestamp());
      }
    }
    // It is not known whether this is a repeat: worth trying again later.
    return countRefusal ? refuse(event) : IngestResult.refused(Outcome.BACKPRESSURE);
  }

  private @Nullable IngestResult ingestClaimed(
      long epoch, RawEvent event, IdClaim claim, boolean countRefusal) {
    IngestResult result = null;
    try {
      result = ingestBy(epoch, event, claim, countRefusal);
    } finally {
      if (result != null && result.accepted()) {
        claim.accepted(result.shard(), result.timestamp());
      } else {
        claim.refused();
      }
    }
    return result;
  }

  private static IngestResult result(int answer, long timestamp) {
    Outcome outcome = OUTCOMES[answer >>> OUTCOME_SHIFT];
    int shard = answer & NO_SHARD;
    return new IngestResult(
        outcome, shard == NO_SHARD ? -1 : shard, outcome == Outcome.ACCEPTED ? timestamp : 0);
  }

  @SuppressWarnings("EnumOrdinal") // the number does not leave this class
  private static int answer(Outcome outcome, int shard) {
    return outcome.ordinal() << OUTCOME_SHIFT | shard;
  }

  /** Takes the event apart here, so that it stays an object of the caller's that never escapes. */
  private int push(
      RawEvent event, long timestamp, @Nullable DeliveryAck ack, boolean countRefusal, long epoch) {
    return push(
        event.buffer(),
        event.key(),
        event.id(),
        event.headers(),
        event.hash(),
        event.totalSize(),
        timestamp,
        ack,
        countRefusal,
        epoch);
  }

  private int push(
      Buffer payload,
      @Nullable String key,
      @Nullable String id,
      Headers headers,
      long hash,
      int size,
      long timestamp,
      @Nullable DeliveryAck ack,
      boolean countRefusal,
      long epoch) {
    if (size > limits.maxEventBytes()) {
      return answer(refuseTooLarge().outcome(), NO_SHARD);
    }
    QueuedEvent queued = QueuedEvent.of(payload, key, id, headers, timestamp, ack);
    boolean hasKey = key != null;
    if (hasKey && !set.keysSeen()) {
      set.seeKeys();
    }
    boolean sampled = inSample(timestamp, hash);
    if (sampled) {
      set.routing().sample(hash, hasKey);
    }
    while (true) {
      RoutingTable table = set.routing();
      if (epoch != ANY_EPOCH && epoch != table.epoch()) {
        return REROUTED;
      }
      Lane lane = table.select(hash, hasKey);
      if (lane == null) {
        return answer(noShard(table, countRefusal), NO_SHARD);
      }
      Shard shard = Shard.of(lane);
      switch (lane.offer(queued, countRefusal)) {
        case ACCEPTED:
          if (sampled) {
            shard.pushLatency().add(Math.max(0, clock.getAsLong() - timestamp));
          }
          return answer(Outcome.ACCEPTED, shard.id());
        case BACKPRESSURE:
          return answer(Outcome.BACKPRESSURE, shard.id());
        case SAMPLED:
          return answer(Outcome.SAMPLED, shard.id());
        case SEALED:
          // It left the table before it was sealed: the table read next does not have it.
      }
    }
  }

  /**
   * One event in 256 is timed and noted with its slot. The low bits of a coarse clock never change,
   * so the highest bits of a product decide. A slot is the high bits of a hash, so its low half
   * tells the keys of a slot apart.
   */
  private static boolean inSample(long timestamp, long hash) {
    return (timestamp * GOLDEN + (hash << 32)) >>> 56 == 0;
  }

  private Outcome noShard(RoutingTable table, boolean countUnrouted) {
    if (table == RoutingTable.CLOSED) {
      closed.increment();
      return Outcome.CLOSED;
    }
    if (countUnrouted) {
      unrouted.increment();
    }
    return Outcome.UNROUTED;
  }

  BatchIngestResult ingestBatch(List<RawEvent> given, @Nullable DeliveryAck ack) {
    Outcomes outcomes = new Outcomes();
    List<RawEvent> events = given;
    boolean anyId = lookThrough(given);
    if (!interceptors.isEmpty()) {
      events = intercept(given, outcomes);
      anyId = lookThrough(events);
    }
    if (anyId && ids != null) {
      // One after the other: a repeat may be in the same batch.
      events.forEach(event -> outcomes.count(ingest(event, ack, true).outcome()));
      return outcomes.result();
    }
    for (int from = 0; from < events.size(); from += BATCH_CHUNK) {
      RoutingTable table = enterTable();
      try {
        ingestChunk(
            events.subList(from, Math.min(events.size(), from + BATCH_CHUNK)),
            table,
            ack,
            outcomes);
      } finally {
        table.exitBatch();
        outcomes.tellEvicted();
      }
    }
    return outcomes.result();
  }

  private List<RawEvent> intercept(List<RawEvent> given, Outcomes outcomes) {
    List<RawEvent> passed = new ArrayList<>(given.size());
    for (RawEvent event : given) {
      Intercepted answer = interceptors.intercept(event);
      if (answer instanceof Intercepted.Refusal refusal) {
        outcomes.count(refuse(refusal).outcome());
      } else {
        passed.add((RawEvent) answer);
      }
    }
    return passed;
  }

  /**
   * Checks before any event is taken, because the caller sends the whole batch again after an
   * exception. Returns whether there are ids.
   */
  private boolean lookThrough(List<RawEvent> events) {
    boolean keys = false;
    boolean anyId = false;
    int index = 0;
    for (RawEvent event : events) {
      if (event == null) {
        throw new IllegalArgumentException("events[" + index + "]: must not be null");
      }
      keys |= event.key() != null;
      anyId |= event.id() != null;
      index++;
    }
    if (keys && !set.keysSeen()) {
      set.seeKeys();
    }
    return anyId;
  }

  private RoutingTable enterTable() {
    while (true) {
      RoutingTable table = set.routing();
      table.enterBatch();
      if (table == set.routing()) {
        return table;
      }
      table.exitBatch();
    }
  }

  private void ingestChunk(
      List<RawEvent> events, RoutingTable table, @Nullable DeliveryAck ack, Outcomes outcomes) {
    int count = events.size();
    long timestamp = clock.getAsLong();
    Lane[] lanes = new Lane[count];
    Lane timed = null;
    for (int i = 0; i < count; i++) {
      RawEvent event = events.get(i);
      if (event.totalSize() > limits.maxEventBytes()) {
        outcomes.count(refuseTooLarge().outcome());
        continue;
      }
      boolean hasKey = event.key() != null;
      Lane lane = table.select(event.hash(), hasKey);
      if (lane == null) {
        outcomes.count(noShard(table, true));
        continue;
      }
      if (inSample(timestamp, event.hash())) {
        table.sample(event.hash(), hasKey);
        timed = lane;
      }
      lanes[i] = lane;
    }
    QueuedEvent[] group = new QueuedEvent[count];
    for (int first = 0; first < count; first++) {
      Lane lane = lanes[first];
      if (lane == null) {
        continue;
      }
      int size = 0;
      for (int i = first; i < count; i++) {
        if (lanes[i] == lane) {
          RawEvent event = events.get(i);
          // Risen already, so that the consumer has nothing to write into it.
          long risen = timestamp + size;
          group[size++] =
              QueuedEvent.of(event.buffer(), event.key(), event.id(), event.headers(), risen, ack);
          lanes[i] = null;
        }
      }
      pushGroup(lane, group, size, outcomes);
    }
    if (timed != null) {
      Shard.of(timed).pushLatency().add(Math.max(0, clock.getAsLong() - timestamp) / count);
    }
  }

  private static void pushGroup(Lane lane, QueuedEvent[] group, int size, Outcomes outcomes) {
    int accepted = lane.offerMany(group, size);
    outcomes.accepted += accepted;
    for (int i = accepted; i < size; i++) {
      switch (lane.offer(group[i], true, outcomes::evict)) {
        case ACCEPTED -> outcomes.count(Outcome.ACCEPTED);
        case BACKPRESSURE -> outcomes.count(Outcome.BACKPRESSURE);
        case SAMPLED -> outcomes.count(Outcome.SAMPLED);
        case SEALED -> throw new IllegalStateException(lane + " was sealed under a batch");
      }
    }
  }

  private static final class Outcomes {

    int accepted;
    int dropped;
    int unrouted;
    int duplicates;
    private final List<DeliveryAck> evicted = new ArrayList<>(0);

    void evict(DeliveryAck ack) {
      evicted.add(ack);
    }

    /**
     * Tell the acknowledgements after releasing the table. Replacing the table waits for this
     * batch, and an acknowledgement may wait for the replacement.
     */
    void tellEvicted() {
      evicted.forEach(Acks::tellEvicted);
      evicted.clear();
    }

    void count(Outcome outcome) {
      switch (outcome) {
        case ACCEPTED -> accepted++;
        case DUPLICATE -> {
          accepted++;
          duplicates++;
        }
        case UNROUTED -> unrouted++;
        default -> dropped++;
      }
    }

    BatchIngestResult result() {
      return new BatchIngestResult(accepted, dropped, unrouted, duplicates);
    }
  }
}
