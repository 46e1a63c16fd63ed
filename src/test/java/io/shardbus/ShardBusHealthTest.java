package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.junit5.RecordingSink;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.ext.healthchecks.CheckResult;
import io.vertx.ext.healthchecks.HealthChecks;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ShardBusHealthTest {

  private final Vertx vertx = Vertx.vertx();

  @AfterEach
  void tearDown() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private ShardBus start(String address) throws Exception {
    return await(
        ShardBus.start(
            vertx,
            new ShardBusOptions().setShards(1).setRingCapacity(1024).setAddress(address),
            new RecordingSink()));
  }

  @Test
  void check_failsWithTheReasonUntilTheNextBusReplacesIt() throws Exception {
    HealthChecks checks = HealthChecks.create(vertx);
    ShardBus bus = start("orders");
    ShardBusHealth.register(checks, start("clicks"));
    ShardBusHealth.register(checks, bus);
    assertThat(await(checks.checkStatus()).getUp()).isTrue();
    await(bus.close());
    assertThat(await(checks.checkStatus()).getUp()).isFalse();
    CheckResult orders = await(checks.checkStatus("shardbus/orders"));
    assertThat(orders.getData().getString("reason")).isEqualTo("the bus is closed");
    assertThat(await(checks.checkStatus("shardbus/clicks")).getUp()).isTrue();
    ShardBusHealth.register(checks, start("orders"));
    assertThat(await(checks.checkStatus()).getUp()).isTrue();
  }
}
