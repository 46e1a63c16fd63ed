package io.shardbus;

import io.vertx.core.json.JsonObject;
import io.vertx.ext.healthchecks.HealthChecks;
import io.vertx.ext.healthchecks.Status;

/** The health of buses, for the library {@code io.vertx:vertx-health-check}. */
public final class ShardBusHealth {

  private ShardBusHealth() {}

  /**
   * Adds a check with the name {@code shardbus/ADDRESS}. It fails with a {@code reason} while
   * {@link ShardBus#notReady} has one, so also when the bus is closed. The check of a later bus
   * with the same address replaces it.
   *
   * @param checks the checks of the application
   * @param bus what is checked
   */
  public static void register(HealthChecks checks, ShardBus bus) {
    String name = "shardbus/" + bus.address();
    checks.unregister(name);
    checks.register(
        name,
        status ->
            status.complete(
                bus.notReady()
                    .map(reason -> Status.KO(new JsonObject().put("reason", reason)))
                    .orElseGet(Status::OK)));
  }
}
