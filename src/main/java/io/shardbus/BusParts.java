package io.shardbus;

import io.shardbus.delivery.DeadLetterStore;
import io.shardbus.delivery.DeliveryObservers;
import io.shardbus.delivery.Scaler;
import io.shardbus.delivery.ShardDeployments;
import io.shardbus.delivery.WaitingRoom;
import io.shardbus.files.DataFolder;
import io.shardbus.shard.ShardManager;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.List;

/**
 * What a bus is made of.
 *
 * @param vertx where it runs
 * @param options how it works
 * @param folder holds what outlives it
 * @param home where its sink opens
 * @param sink where events go
 * @param letters takes the events that the sink refuses for good
 * @param manager the engine
 * @param deployments the shards' verticles
 * @param scaler adds and removes shards
 * @param observers told of deliveries
 * @param waitingRoom where events wait for room
 * @param others other deployments; the list grows during the start
 */
record BusParts(
    Vertx vertx,
    ShardBusOptions options,
    DataFolder folder,
    Home home,
    SinkLife sink,
    DeadLetterStore letters,
    ShardManager manager,
    ShardDeployments deployments,
    Scaler scaler,
    DeliveryObservers observers,
    WaitingRoom waitingRoom,
    List<Future<String>> others) {}
