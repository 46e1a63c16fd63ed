package io.shardbus.gateway;

import io.shardbus.options.Durations;
import io.shardbus.options.OptionsJson;
import io.shardbus.shard.ShardManager;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import io.vertx.core.json.JsonObject;
import java.util.Set;
import java.util.TreeSet;

/** The gateway's options, of which some limits may change while it runs. Safe for any thread. */
final class Limits {

  private static final Logger LOG = LoggerFactory.getLogger(Limits.class);

  /** The limit that belongs to the bus. */
  private static final String EVENT = "maxEventBytes";

  private static final Set<String> OF_GATEWAY =
      Set.of(
          "backpressureTimeout",
          "maxBytesPerSecondPerClient",
          "maxConnections",
          "maxConnectionsPerClient",
          "maxEventsPerSecondPerClient");

  /** Those of a server's connections. */
  private static final Set<String> OF_SERVER = Set.of("maxConnections", "maxConnectionsPerClient");

  private final ShardManager shards;
  private final Set<String> changeable = new TreeSet<>(OF_GATEWAY);
  private volatile GatewayOptions options;

  /**
   * @param mounted whether the server is the application's
   */
  Limits(ShardManager shards, GatewayOptions options, boolean mounted) {
    this.shards = shards;
    this.options = options;
    if (mounted) {
      changeable.removeAll(OF_SERVER);
    }
  }

  /** The options in force; not to be changed. */
  GatewayOptions options() {
    return options;
  }

  /** The refusal of a body, or of a part of it. */
  String tooSlow(String what) {
    return "gateway.bodyTimeout: "
        + what
        + " did not come to an end in "
        + Durations.format(options.getBodyTimeout());
  }

  /** The limits that can change. */
  JsonObject json() {
    JsonObject all = OptionsJson.write(options);
    JsonObject json = new JsonObject().put(EVENT, shards.limits().maxEventBytes());
    changeable.forEach(name -> json.put(name, all.getValue(name)));
    return json;
  }

  /**
   * Sets all limits that the JSON names, or none.
   *
   * @throws IllegalArgumentException naming the limit that cannot be set
   */
  synchronized void change(JsonObject changes) {
    JsonObject before = json();
    for (String name : changes.fieldNames()) {
      if (!before.containsKey(name)) {
        throw new IllegalArgumentException(
            "\"" + name + "\" cannot be changed here: allowed are " + before.fieldNames());
      }
    }
    JsonObject ofGateway = changes.copy();
    Object eventBytes = ofGateway.remove(EVENT);
    GatewayOptions next = OptionsJson.read(new GatewayOptions(options), ofGateway);
    next.validate();
    if (changes.containsKey(EVENT)) {
      if (!(eventBytes instanceof Integer bytes)) {
        throw new IllegalArgumentException(
            "option \"" + EVENT + "\": " + eventBytes + " must be a whole number of bytes");
      }
      shards.changeMaxEventBytes(bytes); // the last that can fail
    }
    options = next;
    LOG.info("limits changed from " + before + " to " + json());
  }
}
