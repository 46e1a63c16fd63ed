package io.shardbus;

import io.shardbus.gateway.Gateway;
import io.shardbus.gateway.GatewayOptions;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.json.JsonObject;
import org.jspecify.annotations.Nullable;

/**
 * Runs a bus while it is deployed, for applications that deploy verticles by name. Its
 * configuration is the JSON of {@link ShardBusOptions}. With the member {@code gateway}, the JSON
 * of {@link GatewayOptions}, it runs a gateway too. To undeploy it closes both: the gateway first,
 * and the bus once it has delivered all it holds. {@link ShardBus#find} finds the bus.
 *
 * <p>The deployment fails as {@link ShardBus#start} and {@link Gateway#start} do. The options need
 * Jackson databind, unless there are none. One instance can run on an address.
 */
public final class ShardBusVerticle extends VerticleBase {

  private static final String GATEWAY = "gateway";

  /** For Vert.x. */
  public ShardBusVerticle() {}

  @Override
  public Future<?> start() {
    JsonObject ofBus = config().copy();
    GatewayOptions gateway = gateway(ofBus.remove(GATEWAY));
    return ShardBus.start(vertx, new ShardBusOptions(ofBus))
        .compose(
            bus ->
                gateway == null
                    ? Future.succeededFuture()
                    : Gateway.start(vertx, bus, gateway).mapEmpty());
  }

  private static @Nullable GatewayOptions gateway(@Nullable Object given) {
    if (given == null) {
      return null;
    }
    if (!(given instanceof JsonObject json)) {
      throw new IllegalArgumentException("gateway: must be an object with options, is " + given);
    }
    try {
      return new GatewayOptions(json);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("gateway: " + e.getMessage(), e);
    }
  }
}
