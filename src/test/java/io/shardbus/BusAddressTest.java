package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.RawEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.testing.Ports;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One bus an address, found by it, and deployed by name. */
class BusAddressTest {

  private static final String VERTICLE = "io.shardbus.ShardBusVerticle";

  private final Vertx vertx = Vertx.vertx();
  private final RecordingSink sink = new RecordingSink();

  @AfterEach
  void tearDown() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private static ShardBusOptions at(String address) {
    return new ShardBusOptions().setShards(1).setRingCapacity(1024).setAddress(address);
  }

  private Optional<ShardBus> find(String address) {
    return ShardBus.find(vertx, address);
  }

  private static JsonObject json(String address) {
    return new JsonObject()
        .put("address", address)
        .put("shards", 1)
        .put("sink", new JsonObject().put("name", "memory"));
  }

  @Test
  void bus_isFoundByItsAddressUntilItIsClosed() throws Exception {
    ShardBus bus = await(ShardBus.start(vertx, at("a"), sink));
    ShardBus other = await(ShardBus.start(vertx, at("b"), new RecordingSink()));
    assertThat(bus.address()).isEqualTo("a");
    assertThat(find("a")).containsSame(bus);
    assertThat(find("b")).containsSame(other);
    assertThat(find("c")).isEmpty();
    await(bus.close());
    assertThat(find("a")).isEmpty();
    assertThat(find("b")).containsSame(other);
  }

  @Test
  void secondBusOfAnAddress_isRefusedUntilTheFirstIsClosed() throws Exception {
    Promise<Void> opening = Promise.promise();
    sink.onOpen(opening::future);
    Future<ShardBus> first = ShardBus.start(vertx, at("a").setRouters(0), sink);
    assertThat(find("a")).as("that starts").isEmpty();
    RecordingSink unused = new RecordingSink();
    for (boolean running : new boolean[] {false, true}) {
      if (running) {
        opening.complete();
        await(first);
      }
      assertThatThrownBy(() -> await(ShardBus.start(vertx, at("a"), unused)))
          .cause()
          .isInstanceOf(IllegalStateException.class)
          .hasMessage(
              "address: another bus of this Vert.x has \"a\": give each bus an address of its own,"
                  + " or close the other bus first");
    }
    assertThat(unused.opened()).isZero();
    assertThat(first.result().ingest(RawEvent.of("x")).accepted()).isTrue();
    await(first.result().close());
    await(ShardBus.start(vertx, at("a"), new RecordingSink()));
  }

  @Test
  void addressOfABusThatDidNotStart_isFree() throws Exception {
    sink.onOpen(() -> Future.failedFuture("no"));
    assertThatThrownBy(() -> await(ShardBus.start(vertx, at("a"), sink)))
        .hasMessageContaining("no");
    await(ShardBus.start(vertx, at("a"), new RecordingSink()));
  }

  @Test
  void verticleByName_runsABusWithAGatewayUntilItIsUndeployed() throws Exception {
    int port = Ports.free();
    DeploymentOptions options =
        new DeploymentOptions()
            .setConfig(json("orders").put("gateway", new JsonObject().put("port", port)));
    HttpClient client = vertx.createHttpClient();
    for (int round = 0; round < 3; round++) {
      String id = await(vertx.deployVerticle(VERTICLE, options));
      ShardBus bus = find("orders").orElseThrow();
      int status =
          await(
              client
                  .request(HttpMethod.POST, port, "localhost", "/v1/events")
                  .compose(
                      request -> request.putHeader("Content-Type", "application/json").send("{}"))
                  .map(HttpClientResponse::statusCode));
      assertThat(status).isEqualTo(202);
      await(vertx.undeploy(id));
      assertThat(bus.stats().total().delivered()).isEqualTo(1);
      assertThat(find("orders")).isEmpty();
    }
    assertThat(vertx.deploymentIDs()).isEmpty();
    await(client.close());
  }

  @Test
  void verticleWithoutConfiguration_usesTheDefaults() {
    assertThatThrownBy(() -> await(vertx.deployVerticle(VERTICLE)))
        .hasMessageContaining("dataDir"); // the log needs a folder
    assertThat(vertx.deploymentIDs()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'shards': 0}|shards",
        "{'colour': 'red'}|colour",
        "{'gateway': 8080}|gateway: must be an object with options, is 8080",
        "{'gateway': {'port': -1}}|gateway: port: -1 must be 0 to 65535",
        "{'gateway': {'host': 'no.such.host.invalid'}}|host: \"no.such.host.invalid\" is unknown"
      })
  void verticleWithABadConfiguration_isNotDeployed(String more, String message) {
    JsonObject config = json("a").mergeIn(new JsonObject(more.replace('\'', '"')));
    assertThatThrownBy(
            () -> await(vertx.deployVerticle(VERTICLE, new DeploymentOptions().setConfig(config))))
        .hasMessageContaining(message);
    assertThat(vertx.deploymentIDs()).isEmpty();
    assertThat(find("a")).isEmpty();
  }

  @Test
  void moreInstances_areRefused() {
    DeploymentOptions two = new DeploymentOptions().setConfig(json("a")).setInstances(2);
    assertThatThrownBy(() -> await(vertx.deployVerticle(VERTICLE, two)))
        .hasMessageContaining("another bus of this Vert.x has \"a\"");
    assertThat(vertx.deploymentIDs()).isEmpty();
    assertThat(find("a")).isEmpty();
  }
}
