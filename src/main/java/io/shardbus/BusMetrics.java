package io.shardbus;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.shardbus.shard.ScalingDecision.Direction;
import io.shardbus.shard.ShardAccounting;
import io.shardbus.shard.ShardManager;
import io.shardbus.shard.ShardState;
import io.shardbus.verticle.ScalingHistory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * The meters of a bus, for a Micrometer registry. Counters and gauges read the bus's own accounts
 * when they are asked, so an event costs nothing more; timers and distributions are written to once
 * per batch. Safe for any thread.
 */
public final class BusMetrics implements MeterBinder, AutoCloseable {

  private final ShardBus bus;
  private final Tags tags;
  private final List<Runnable> releases = new ArrayList<>();

  /**
   * The meters of the only bus in a registry.
   *
   * @param bus what is measured
   */
  public BusMetrics(ShardBus bus) {
    this(bus, List.of());
  }

  /**
   * The meters of one of several buses in a registry.
   *
   * @param bus what is measured
   * @param tags what tells its meters from those of the others
   */
  public BusMetrics(ShardBus bus, Iterable<Tag> tags) {
    this.bus = bus;
    this.tags = Tags.of(tags);
  }

  @Override
  public synchronized void bindTo(MeterRegistry registry) {
    ShardManager shards = bus.shards();
    total(registry, "accepted", "Events that entered a ring", ShardAccounting::accepted);
    total(registry, "evicted", "Events pushed out by newer ones", ShardAccounting::evicted);
    total(registry, "delivered", "Events that the sink confirmed", ShardAccounting::delivered);
    total(
        registry,
        "dead.lettered",
        "Events that the sink refused for good",
        ShardAccounting::deadLettered);
    refused(registry, "backpressure", b -> shards.accounting().backpressure());
    refused(registry, "sampled", b -> shards.accounting().sampled());
    refused(registry, "unrouted", b -> shards.refusals().unrouted());
    refused(registry, "closed", b -> shards.refusals().closed());
    refused(registry, "too_large", b -> shards.refusals().tooLarge());
    pending(registry, "ring", b -> shards.accounting().pendingInRing());
    pending(registry, "flight", b -> shards.accounting().inFlight());
    gauge(
        registry,
        "shardbus.events.waiting",
        "Events of streams and publishers that wait for room, not offered yet",
        Tags.empty(),
        b -> b.stats().waiting());
    gauge(
        registry,
        "shardbus.dead.letters",
        "Dead letters that are kept, from earlier runs too",
        Tags.empty(),
        b -> b.deadLetters().kept());
    for (ShardState state : ShardState.values()) {
      gauge(
          registry,
          "shardbus.shards",
          "Shards by state",
          Tags.of("state", lower(state)),
          b -> b.shards().shards().stream().filter(s -> s.state() == state).count());
    }
    scalings(registry);
    releases.add(new DeliveryMeters(registry, tags, shards::nanoTime).observe(bus));
    releases.add(new ShardGauges(registry, tags, bus).keepUp());
  }

  /** Takes the meters out of the registries that they were bound to. */
  @Override
  public synchronized void close() {
    releases.forEach(Runnable::run);
    releases.clear();
  }

  private void total(
      MeterRegistry registry,
      String what,
      String description,
      ToDoubleFunction<ShardAccounting> count) {
    counter(
        registry,
        "shardbus.events." + what,
        description,
        Tags.empty(),
        b -> count.applyAsDouble(b.shards().accounting()));
  }

  private void refused(MeterRegistry registry, String reason, ToDoubleFunction<ShardBus> count) {
    counter(
        registry,
        "shardbus.events.refused",
        "Events that were not taken, by reason",
        Tags.of("reason", reason),
        count);
  }

  private void pending(MeterRegistry registry, String where, ToDoubleFunction<ShardBus> count) {
    gauge(
        registry,
        "shardbus.events.pending",
        "Events accepted and not settled, by where they are",
        Tags.of("where", where),
        count);
  }

  private void gauge(
      MeterRegistry registry,
      String name,
      String description,
      Tags own,
      ToDoubleFunction<ShardBus> value) {
    keep(
        registry,
        Gauge.builder(name, bus, value)
            .description(description)
            .tags(tags.and(own))
            .strongReference(true)
            .register(registry));
  }

  private void scalings(MeterRegistry registry) {
    for (Direction direction : List.of(Direction.UP, Direction.DOWN)) {
      for (ScalingHistory.Cause cause : ScalingHistory.Cause.values()) {
        for (ScalingHistory.Outcome outcome : ScalingHistory.Outcome.values()) {
          counter(
              registry,
              "shardbus.scalings",
              "Requests to add or remove shards that have ended",
              Tags.of(
                  "direction", lower(direction), "cause", lower(cause), "outcome", lower(outcome)),
              b -> b.scalings().count(direction, cause, outcome));
        }
      }
    }
  }

  private void counter(
      MeterRegistry registry,
      String name,
      String description,
      Tags own,
      ToDoubleFunction<ShardBus> count) {
    // A registry holds what it reads only weakly, and a bus runs on when nobody holds it: the
    // function holds it.
    ShardBus held = bus;
    keep(
        registry,
        FunctionCounter.builder(name, held, ignored -> count.applyAsDouble(held))
            .description(description)
            .tags(tags.and(own))
            .register(registry));
  }

  private void keep(MeterRegistry registry, Meter meter) {
    releases.add(() -> registry.remove(meter));
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
