package io.shardbus;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardMapper;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The gauges of each shard there is. They come and go with the shards. */
final class ShardGauges {

  private static final Logger LOG = LoggerFactory.getLogger(ShardGauges.class);

  /** Counting slots is not cheap with many shards, and their owners change rarely. */
  private static final long SLOTS_KEPT_NANOS = 1_000_000_000;

  private final ShardBus bus;
  private final MultiGauge fill;
  private final MultiGauge weight;
  private final MultiGauge circuit;
  private final MultiGauge failures;
  private boolean closed;
  private Map<Integer, Integer> slots = Map.of();
  private double equalShare;
  private long slotsCounted;

  ShardGauges(MeterRegistry registry, Tags tags, ShardBus bus) {
    this.bus = bus;
    fill =
        MultiGauge.builder("shardbus.ring.fill")
            .description("How full a shard's ring is, 0 to 1")
            .tags(tags)
            .register(registry);
    weight =
        MultiGauge.builder("shardbus.shard.weight")
            .description("A shard's share of the routing table, relative to an equal share")
            .tags(tags)
            .register(registry);
    circuit =
        MultiGauge.builder("shardbus.sink.circuit")
            .description("A shard's circuit breaker: 0 closed, 1 half-open, 2 open")
            .tags(tags)
            .register(registry);
    failures =
        MultiGauge.builder("shardbus.sink.failures")
            .description("Attempts of a shard that failed in a row for a passing reason")
            .tags(tags)
            .register(registry);
  }

  /** Begins; what it returns ends it and takes the gauges out of the registry. */
  Runnable keepUp() {
    Optional<ShardMapper> mapper = bus.shards().mapper();
    mapper.ifPresent(
        m -> {
          m.onShardCreated(id -> refresh());
          m.onShardRemoved(id -> refresh());
        });
    refresh();
    return this::close;
  }

  /** Keeps the rows that are there already: an id is never given twice. */
  private synchronized void refresh() {
    if (closed) {
      return;
    }
    try {
      List<Shard> shards = bus.shards().shards();
      fill.register(shards.stream().map(s -> Row.of(tag(s), s, Shard::fillRatio)).toList());
      weight.register(shards.stream().map(s -> Row.of(tag(s), s, this::weight)).toList());
      circuit.register(shards.stream().map(s -> Row.of(tag(s), s, this::circuit)).toList());
      failures.register(shards.stream().map(s -> Row.of(tag(s), s, this::failures)).toList());
    } catch (RuntimeException e) {
      LOG.warn("a registry refused the gauges of shards", e); // scaling must not fail for that
    }
  }

  private synchronized void close() {
    closed = true;
    fill.register(List.of());
    weight.register(List.of());
    circuit.register(List.of());
    failures.register(List.of());
  }

  private static Tags tag(Shard shard) {
    return Tags.of("shard", Integer.toString(shard.id()));
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
