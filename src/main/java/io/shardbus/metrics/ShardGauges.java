package io.shardbus.metrics;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.shardbus.ShardBus;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardMapper;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** The gauges of each shard there is. They come and go with the shards. */
final class ShardGauges {

  private static final Logger LOG = LoggerFactory.getLogger(ShardGauges.class);

  /** Counting slots is not cheap with many shards, and their owners change rarely. */
  private static final long SLOTS_KEPT_NANOS = 1_000_000_000;

  private final MeterRegistry registry;
  private final Tags tags;
  private final ShardBus bus;

  /** Of each shard; null once they are closed. */
  private @Nullable Map<Integer, List<Meter>> meters = new HashMap<>();

  private Map<Integer, Integer> slots = Map.of();
  private double equalShare;
  private long slotsCounted;

  ShardGauges(MeterRegistry registry, Tags tags, ShardBus bus) {
    this.registry = registry;
    this.tags = tags;
    this.bus = bus;
  }

  /** Begins. The result ends it and takes the gauges out of the registry. */
  Runnable keepUp() {
    List<Runnable> ends = new ArrayList<>(2);
    bus.shards()
        .mapper()
        .ifPresent(
            m -> {
              ends.add(m.onShardCreated(id -> refresh()));
              ends.add(m.onShardRemoved(id -> refresh()));
            });
    refresh();
    return () -> {
      ends.forEach(Runnable::run);
      close();
    };
  }

  /** Keeps those that are there already: an id is never given twice. */
  private synchronized void refresh() {
    Map<Integer, List<Meter>> known = meters;
    if (known == null) {
      return;
    }
    try {
      List<Shard> shards = bus.shards().shards();
      Set<Integer> gone = new HashSet<>(known.keySet());
      for (Shard shard : shards) {
        gone.remove(shard.id());
        known.computeIfAbsent(shard.id(), id -> gauges(shard));
      }
      remove(gone.stream().map(known::remove).toList());
    } catch (RuntimeException e) {
      LOG.warn("a registry refused the gauges of shards", e); // scaling must not fail for that
    }
  }

  private List<Meter> gauges(Shard shard) {
    return List.of(
        gauge("shardbus.ring.fill", "How full a shard's ring is, 0 to 1", shard, Shard::fillRatio),
        gauge(
            "shardbus.shard.weight",
            "A shard's share of the routing table, relative to an equal share",
            shard,
            this::weight),
        gauge(
            "shardbus.shard.lanes",
            "A shard's rings: 1, and one more for keys that came from another shard, until they are"
                + " merged",
            shard,
            Shard::laneCount),
        gauge(
            "shardbus.events.fenced",
            "Events that wait until another shard has settled what it has of their keys",
            shard,
            Shard::fencedEvents),
        Gauge.builder("shardbus.fence.wait", shard, s -> s.fencedNanos() / 1e9)
            .baseUnit("seconds")
            .description("How long a shard's oldest fence has been closed")
            .tags(tags(shard))
            .strongReference(true)
            .register(registry),
        gauge(
            "shardbus.sink.circuit",
            "A shard's circuit breaker: 0 closed, 1 half-open, 2 open",
            shard,
            this::circuit),
        gauge(
            "shardbus.sink.failures",
            "Attempts of a shard that failed in a row for a passing reason",
            shard,
            this::failures));
  }

  private Meter gauge(String name, String description, Shard shard, ToDoubleFunction<Shard> value) {
    return Gauge.builder(name, shard, value)
        .description(description)
        .tags(tags(shard))
        .strongReference(true)
        .register(registry);
  }

  private Tags tags(Shard shard) {
    return tags.and("shard", Integer.toString(shard.id()));
  }

  private void remove(Collection<List<Meter>> some) {
    if (!some.isEmpty()) {
      OwnMeters.remove(registry, some.stream().flatMap(List::stream).toList());
    }
  }

  private synchronized void close() {
    Map<Integer, List<Meter>> left = meters;
    meters = null;
    if (left != null) {
      remove(left.values());
    }
  }

  private double circuit(Shard shard) {
    return switch (bus.sinkHealth(shard.id()).circuit()) {
      case CLOSED -> 0;
      case HALF_OPEN -> 1;
      case OPEN -> 2;
    };
  }

  private double failures(Shard shard) {
    return bus.sinkHealth(shard.id()).failures();
  }

  private synchronized double weight(Shard shard) {
    Optional<ShardMapper> mapper = bus.shards().mapper();
    if (mapper.isEmpty()) {
      return 1;
    }
    long now = System.nanoTime();
    if (slots.isEmpty() || now - slotsCounted >= SLOTS_KEPT_NANOS) {
      slots = mapper.get().slotsByShard();
      slotsCounted = now;
      equalShare =
          slots.values().stream().mapToInt(Integer::intValue).sum()
              / (double) Math.max(1, slots.size());
    }
    return slots.getOrDefault(shard.id(), 0) / Math.max(1, equalShare);
  }
}
