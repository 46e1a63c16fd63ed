package io.shardbus.gateway;

import io.shardbus.ShardBus;
import io.vertx.core.Vertx;

/** What all connections share that bring events. */
record Intake(Vertx vertx, ShardBus bus, Limits limits, RateLimit rates, Retries retries) {

  Feeder feeder(RateLimit.Client rate, boolean patient, Runnable onRoom) {
    return new Feeder(bus, retries, rate, patient, onRoom);
  }
}
