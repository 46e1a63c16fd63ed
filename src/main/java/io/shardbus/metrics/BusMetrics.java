package io.shardbus.metrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.shardbus.ShardBus;
import io.shardbus.event.Outcome;
import io.shardbus.shard.IdWindow;
import io.shardbus.shard.ScalingDecision.Direction;
import io.shardbus.shard.ScalingHistory;
import io.shardbus.shard.ScalingLimit;
import io.shardbus.shard.ShardAccounting;
import io.shardbus.shard.ShardManager;
import io.shardbus.shard.ShardMapper;
import io.shardbus.shard.ShardState;
import io.shardbus.sink.DeliveryObserver;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.Storage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * The meters of a bus, for a Micrometer registry. If the Vert.x of the bus has {@code
 * MicrometerMetricsOptions}, they are in its registry from the start. Each has the tag {@code
 * address}. Counters and gauges read the bus's own accounts when they are asked, so an event costs
 * nothing more; timers and distributions are written to once per batch. When the bus is closed its
 * meters leave every registry. Safe for any thread.
 */
public final class BusMetrics implements MeterBinder, AutoCloseable {

  private static final String ADVICE =
      "a bus adds its meters to the registry of its Vert.x by itself; if a bus of another Vert.x"
          + " has the same address, give each tags of its own, such as new BusMetrics(bus,"
          + " Tags.of(\"bus\", \"orders\"))";

  private final ShardBus bus;
  private final Tags tags;
  private final Map<MeterRegistry, Runnable> releases = new HashMap<>();
  private Runnable endOfBus = () -> {};

  /** A registry, and the meters that were added to it. */
  private record Target(MeterRegistry registry, Consumer<Meter> own) {}

  /**
   * The meters of a bus whose address no other bus in the registry has.
   *
   * @param bus what is measured
   */
  public BusMetrics(ShardBus bus) {
    this(bus, List.of());
  }

  /**
   * The meters of a bus, with more tags.
   *
   * @param bus what is measured
   * @param tags added to the tag {@code address}
   */
  public BusMetrics(ShardBus bus, Iterable<Tag> tags) {
    this.bus = bus;
    this.tags = Tags.of("address", bus.address()).and(tags);
  }

  /**
   * Adds the meters to a registry. Does nothing if they are in it.
   *
   * @param registry the registry
   * @throws IllegalStateException if another bus has meters of the same names and tags in it; none
   *     is added
   */
  @Override
  public synchronized void bindTo(MeterRegistry registry) {
    if (releases.containsKey(registry)) {
      return;
    }
    List<DeliveryMeters> deliveries = new ArrayList<>(1);
    Runnable meters =
        OwnMeters.add(
            registry,
            ADVICE,
            own -> {
              add(new Target(registry, own));
              deliveries.add(new DeliveryMeters(registry, tags, bus.shards()::nanoTime, own));
            });
    Runnable gauges = new ShardGauges(registry, tags, bus).keepUp();
    Runnable stop = bus.observe(deliveries.get(0));
    releases.put(
        registry,
        () -> {
          stop.run();
          gauges.run();
          meters.run();
        });
    if (releases.size() == 1) {
      endOfBus =
          bus.observe(
              new DeliveryObserver() {
                @Override
                public void closed() {
                  close();
                }
              });
    }
  }

  private void add(Target to) {
    ShardManager shards = bus.shards();
    total(to, "accepted", "Events that entered a ring", ShardAccounting::accepted);
    total(to, "evicted", "Events pushed out by newer ones", ShardAccounting::evicted);
    total(to, "delivered", "Events that the sink confirmed", ShardAccounting::delivered);
    total(
        to,
        "dead.lettered",
        "Events that the sink refused for good",
        ShardAccounting::deadLettered);
    refused(to, Outcome.BACKPRESSURE, b -> shards.accounting().backpressure());
    refused(to, Outcome.SAMPLED, b -> shards.accounting().sampled());
    refused(to, Outcome.UNROUTED, b -> shards.refusals().unrouted());
    refused(to, Outcome.CLOSED, b -> shards.refusals().closed());
    refused(to, Outcome.TOO_LARGE, b -> shards.refusals().tooLarge());
    refused(to, Outcome.INTERCEPTED, b -> shards.refusals().interceptedInAll());
    ids(to);
    pending(to, "ring", b -> shards.accounting().pendingInRing());
    pending(to, "flight", b -> shards.accounting().inFlight());
    gauge(
        to,
        "shardbus.events.waiting",
        "Events that wait for room, not offered yet",
        Tags.empty(),
        b -> b.stats().waiting());
    gauge(
        to,
        "shardbus.dead.letters",
        "Dead letters that are kept, from earlier runs too",
        Tags.empty(),
        b -> b.deadLetters().kept());
    gauge(
        to,
        "shardbus.sink.damaged",
        "Damaged places found while reading the sink, since it was opened",
        Tags.empty(),
        b -> b.sink() instanceof ReplayableSink stored ? stored.damaged() : 0);
    storage(to);
    for (ShardState state : ShardState.values()) {
      gauge(
          to,
          "shardbus.shards",
          "Shards by state",
          Tags.of("state", lower(state)),
          b -> b.shards().shards().stream().filter(s -> s.state() == state).count());
    }
    scalings(to);
    limits(to);
    moves(to);
  }

  /** Takes the meters out of the registries that they were bound to. The bus does so at its end. */
  @Override
  public synchronized void close() {
    endOfBus.run();
    releases.values().forEach(Runnable::run);
    releases.clear();
  }

  private void storage(Target to) {
    stored(to, "stored.bytes", "What the stored events take", Storage::bytes);
    stored(to, "free.bytes", "What the disk of the sink has left", Storage::freeBytes);
    stored(
        to, "oldest.timestamp.seconds", "The time of the oldest event", s -> seconds(s.oldest()));
    stored(
        to, "newest.timestamp.seconds", "The time of the newest event", s -> seconds(s.newest()));
  }

  private void stored(
      Target to, String what, String description, Function<Storage, @Nullable Number> value) {
    gauge(
        to,
        "shardbus.sink." + what,
        description,
        Tags.empty(),
        b -> {
          Storage storage = ReplayableSink.storageOf(b.sink());
          Number number = storage == null ? null : value.apply(storage);
          return number == null ? Double.NaN : number.doubleValue();
        });
  }

  private static @Nullable Double seconds(@Nullable Long nanos) {
    return nanos == null ? null : nanos / 1e9;
  }

  private void ids(Target to) {
    counter(
        to,
        "shardbus.events.duplicate",
        "Events that were not taken, because one with the same id was",
        Tags.empty(),
        b -> b.shards().ids().map(IdWindow::duplicates).orElse(0L));
    gauge(
        to,
        "shardbus.ids.remembered",
        "Ids of events that are remembered",
        Tags.empty(),
        b -> b.shards().ids().map(IdWindow::size).orElse(0L));
    counter(
        to,
        "shardbus.ids.forgotten",
        "Ids of events that were forgotten before their window was over, for want of room",
        Tags.empty(),
        b -> b.shards().ids().map(IdWindow::forgotten).orElse(0L));
  }

  private void total(
      Target to, String what, String description, ToDoubleFunction<ShardAccounting> count) {
    counter(
        to,
        "shardbus.events." + what,
        description,
        Tags.empty(),
        b -> count.applyAsDouble(b.shards().accounting()));
  }

  private void refused(Target to, Outcome reason, ToDoubleFunction<ShardBus> count) {
    counter(
        to,
        "shardbus.events.refused",
        "Events that were not taken, by reason",
        Tags.of("reason", reason.word()),
        count);
  }

  private void pending(Target to, String where, ToDoubleFunction<ShardBus> count) {
    gauge(
        to,
        "shardbus.events.pending",
        "Events accepted and not settled, by where they are",
        Tags.of("where", where),
        count);
  }

  private void gauge(
      Target to, String name, String description, Tags own, ToDoubleFunction<ShardBus> value) {
    to.own()
        .accept(
            Gauge.builder(name, bus, value)
                .description(description)
                .tags(tags.and(own))
                .strongReference(true)
                .register(to.registry()));
  }

  private void scalings(Target to) {
    for (Direction direction : List.of(Direction.UP, Direction.DOWN)) {
      for (ScalingHistory.Cause cause : ScalingHistory.Cause.values()) {
        for (ScalingHistory.Ending outcome : ScalingHistory.Ending.values()) {
          counter(
              to,
              "shardbus.scalings",
              "Requests to add or remove shards that have ended",
              Tags.of(
                  "direction", lower(direction), "cause", lower(cause), "outcome", lower(outcome)),
              b -> b.scalings().count(direction, cause, outcome));
        }
      }
    }
  }

  private void limits(Target to) {
    for (ScalingLimit limit : ScalingLimit.values()) {
      if (limit != ScalingLimit.NONE) {
        gauge(
            to,
            "shardbus.scaling.limited",
            "1 while this keeps the policy from adding the shards that the load asks for",
            Tags.of("reason", lower(limit)),
            b -> b.shards().scalingLimit() == limit ? 1 : 0);
      }
    }
  }

  private void moves(Target to) {
    counter(
        to,
        "shardbus.slots.moved",
        "Slots of the routing table that changed their owner",
        Tags.empty(),
        b -> b.shards().mapper().map(ShardMapper::slotsMoved).orElse(0L));
    counter(
        to,
        "shardbus.turnovers",
        "Times that a shard was given a fresh ring because keys left it",
        Tags.empty(),
        b -> b.shards().mapper().map(ShardMapper::turnOvers).orElse(0L));
    counter(
        to,
        "shardbus.clock.steps.back",
        "Times that the wall clock went back by more than a minute, and timestamps with it",
        Tags.empty(),
        b -> b.shards().clockStepsBack());
  }

  private void counter(
      Target to, String name, String description, Tags own, ToDoubleFunction<ShardBus> count) {
    // A registry holds the bus only weakly, and a bus can run without other references: so the
    // function holds it.
    ShardBus held = bus;
    to.own()
        .accept(
            FunctionCounter.builder(name, held, ignored -> count.applyAsDouble(held))
                .description(description)
                .tags(tags.and(own))
                .register(to.registry()));
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
