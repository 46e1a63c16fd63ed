package io.shardbus.eventbus;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import io.vertx.core.json.JsonObject;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Tells the other routers of a cluster how many publishers this one has, and asks some to move if
 * its bus has more than its share: when a node has joined, or publishers have left. It rests on
 * nothing but messages; if they get lost, publishers stay where they are. Runs on the router's
 * context.
 */
final class RouterBalance {

  private static final Logger LOG = LoggerFactory.getLogger(RouterBalance.class);
  private static final long TELL_MILLIS = 1_000;

  /** A router that tells nothing for longer is no place to go. */
  private static final long FRESH_NANOS = TimeUnit.MILLISECONDS.toNanos(3_500);

  private static final String BUS = "bus";
  private static final String ROUTER = "router";
  private static final String NAME = "name";
  private static final String GONE = "gone";
  private static final String PUBLISHERS = "publishers";

  private final Vertx vertx;
  private final String address;
  private final ClusterNodes nodes;
  private final String router;
  private final PublisherSessions sessions;
  private final Map<String, Peer> peers = new HashMap<>();
  private @Nullable MessageConsumer<JsonObject> consumer;
  private long timer = -1;

  private record Peer(String bus, int publishers, long heard) {}

  /**
   * @param address where the routers tell each other
   * @param nodes the same for all routers of a bus
   * @param router where this one's publishers send their batches
   */
  RouterBalance(
      Vertx vertx, String address, ClusterNodes nodes, String router, PublisherSessions sessions) {
    this.vertx = vertx;
    this.address = address;
    this.nodes = nodes;
    this.router = router;
    this.sessions = sessions;
  }

  Future<Void> start() {
    timer = vertx.setPeriodic(TELL_MILLIS, tick -> tick());
    MessageConsumer<JsonObject> others = vertx.eventBus().consumer(address, this::heard);
    consumer = others;
    return others.completion();
  }

  void stop() {
    vertx.cancelTimer(timer);
    if (consumer != null) {
      consumer.unregister();
      tell(told().put(GONE, true));
    }
  }

  private void heard(Message<JsonObject> message) {
    JsonObject told = message.body();
    String bus = told.getString(BUS);
    String from = told.getString(ROUTER);
    if (told.getBoolean(GONE, false)) {
      peers.remove(from);
      nodes.gone(bus);
    } else {
      peers.put(from, new Peer(bus, told.getInteger(PUBLISHERS), System.nanoTime()));
      nodes.heard(bus, told.getString(NAME, ""), from);
    }
  }

  private void tick() {
    if (sessions.isClosed()) {
      stop(); // it has room, but whoever came would be sent away
      return;
    }
    int mine = sessions.load();
    tell(told().put(PUBLISHERS, mine));
    long now = System.nanoTime();
    peers.values().removeIf(peer -> now - peer.heard() > FRESH_NANOS);
    peers.put(router, new Peer(nodes.id(), mine, now));
    move(mine);
  }

  /** A clustered event bus may throw while the connection to a node that was killed breaks. */
  private void tell(JsonObject told) {
    try {
      vertx.eventBus().publish(address, told);
    } catch (Throwable e) { // also an Error: a router that stops must come to its end
      LOG.debug("the other routers were not told", e);
    }
  }

  private JsonObject told() {
    return new JsonObject().put(BUS, nodes.id()).put(NAME, nodes.name()).put(ROUTER, router);
  }

  /** The router of this bus that has the most publishers asks as many as the bus has too many. */
  private void move(int mine) {
    String bus = nodes.id();
    Map<String, Integer> buses = new HashMap<>();
    peers.values().forEach(peer -> buses.merge(peer.bus(), peer.publishers(), Integer::sum));
    double share = buses.values().stream().mapToInt(Integer::intValue).average().orElse(mine);
    boolean most =
        peers.entrySet().stream()
            .filter(peer -> peer.getValue().bus().equals(bus))
            .max(
                Comparator.comparing((Map.Entry<String, Peer> peer) -> peer.getValue().publishers())
                    .thenComparing(Map.Entry::getKey))
            .map(peer -> peer.getKey().equals(router))
            .orElse(false);
    List<String> poor =
        peers.entrySet().stream()
            .filter(peer -> buses.getOrDefault(peer.getValue().bus(), 0) < share)
            .map(Map.Entry::getKey)
            .sorted()
            .toList();
    if (most && !poor.isEmpty()) {
      int excess = (int) (buses.getOrDefault(bus, mine) - share);
      // Several buses begin at several routers.
      int first = Math.floorMod(router.hashCode(), poor.size());
      for (int i = 0; i < excess; i++) {
        sessions.moveOneTo(poor.get((first + i) % poor.size()));
      }
    }
  }
}
