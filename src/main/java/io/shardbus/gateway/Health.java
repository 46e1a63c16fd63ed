package io.shardbus.gateway;

import io.shardbus.BusStats;
import io.shardbus.ShardBus;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardState;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.SinkHealth;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * {@code /health}: live as long as it answers, ready as long as it makes sense to send events. The
 * answer names the part that fails, but does not quote the sink, because anyone may ask. It counts
 * damaged places of the sink, which keep no event from coming.
 */
final class Health {

  private final ShardBus bus;
  private volatile boolean closing;

  Health(ShardBus bus) {
    this.bus = bus;
  }

  void closing() {
    closing = true;
  }

  void live(RoutingContext context) {
    Admin.send(context.response(), 200, new JsonObject().put("status", "live"));
  }

  void ready(RoutingContext context) {
    String reason = reason();
    JsonObject json = new JsonObject().put("status", reason == null ? "ready" : "not ready");
    if (reason != null) {
      json.put("reason", reason);
    }
    long damaged = bus.sink() instanceof ReplayableSink stored ? stored.damaged() : 0;
    if (damaged > 0) {
      json.put("damaged", damaged);
    }
    Admin.send(context.response(), reason == null ? 200 : 503, json);
  }

  /** Why the server is not ready; null if it is. */
  private @Nullable String reason() {
    if (closing) {
      return "the server is stopping";
    }
    if (bus.shards().isClosed()) {
      return "the bus is closed";
    }
    List<BusStats.ShardStatus> shards = bus.stats().shards();
    if (shards.stream().noneMatch(shard -> shard.state() == ShardState.ACTIVE)) {
      return "no shard is active";
    }
    String failing =
        shards.stream()
            .filter(shard -> shard.sink().circuit() != SinkHealth.Circuit.CLOSED)
            .map(shard -> Integer.toString(shard.id()))
            .collect(Collectors.joining(", "));
    if (!failing.isEmpty()) {
      return "the sink " + bus.sink().name() + " keeps failing for the shards " + failing;
    }
    boolean full =
        bus.shards().shards().stream()
            .filter(shard -> shard.state() == ShardState.ACTIVE)
            .allMatch(Shard::isFull);
    return full ? "all rings are full" : null;
  }
}
