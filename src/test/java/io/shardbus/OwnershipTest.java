package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.gateway.Gateway;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.sink.SinkOptions;
import io.shardbus.testing.Ports;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.net.NetClient;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a verticle starts is closed before the verticle is undeployed, and by nobody else's end. */
@Tag("once")
class OwnershipTest {

  private static final int EVENTS = 5_000;

  @TempDir Path dir;
  private final Vertx vertx = Vertx.vertx();
  private final Vertx elsewhere = Vertx.vertx();
  private final RecordingSink sink = new RecordingSink();
  private final AtomicReference<ShardBus> bus = new AtomicReference<>();
  private final AtomicReference<Gateway> gateway = new AtomicReference<>();
  private final List<String> order = new CopyOnWriteArrayList<>();

  @AfterEach
  void tearDown() throws Exception {
    await(vertx.close());
    await(elsewhere.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private VerticleBase verticle(Callable<Future<?>> start, Callable<Future<?>> stop) {
    return new VerticleBase() {
      @Override
      public Future<?> start() throws Exception {
        return start.call();
      }

      @Override
      public Future<?> stop() throws Exception {
        return stop.call();
      }
    };
  }

  private Future<ShardBus> startBus() {
    return ShardBus.start(vertx, new ShardBusOptions().setShards(2), sink).onSuccess(bus::set);
  }

  private void slow() {
    sink.behave(batch -> Future.future(done -> elsewhere.setTimer(50, timer -> done.complete())));
  }

  private void ingest() {
    for (int i = 0; i < EVENTS; i++) {
      assertThat(bus.get().ingest(RawEvent.of("event " + i)).accepted()).isTrue();
    }
  }

  private void assertClosedAfterDelivering() {
    assertThat(sink.count()).isEqualTo(EVENTS);
    assertThat(sink.faults()).isEmpty();
    assertThat(sink.closed()).isEqualTo(1);
    assertThat(bus.get().ingest(RawEvent.of("late")).outcome()).isEqualTo(Outcome.CLOSED);
  }

  /** Virtual threads are there from Java 21 on. */
  static Stream<ThreadingModel> threadingModels() {
    Stream<ThreadingModel> all = Stream.of(ThreadingModel.EVENT_LOOP, ThreadingModel.WORKER);
    return Runtime.version().feature() < 21
        ? all
        : Stream.concat(all, Stream.of(ThreadingModel.VIRTUAL_THREAD));
  }

  @ParameterizedTest
  @MethodSource("threadingModels")
  void verticleThatIsUndeployed_closesItsBusFirst(ThreadingModel model) throws Exception {
    slow();
    sink.onClose(
        () -> {
          order.add("sink");
          return Future.succeededFuture();
        });
    String id =
        await(
            vertx.deployVerticle(
                verticle(
                    this::startBus,
                    () -> {
                      order.add("verticle");
                      return Future.succeededFuture();
                    }),
                new DeploymentOptions().setThreadingModel(model)));
    ingest();
    await(vertx.undeploy(id));
    assertClosedAfterDelivering();
    assertThat(order).containsExactly("sink", "verticle");
    assertThat(vertx.deploymentIDs()).isEmpty();
  }

  @Test
  void stopThatClosesItsBus_deliversEachEventOnce() throws Exception {
    slow();
    String id = await(vertx.deployVerticle(verticle(this::startBus, () -> bus.get().close())));
    ingest();
    await(vertx.undeploy(id));
    assertClosedAfterDelivering();
    await(bus.get().close());
    assertThat(sink.closed()).isEqualTo(1);
  }

  @Test
  void startThatFailsAfterTheBus_closesIt() {
    assertThatThrownBy(
            () ->
                await(
                    vertx.deployVerticle(
                        verticle(
                            () -> startBus().compose(b -> Future.failedFuture("no")),
                            Future::succeededFuture))))
        .hasMessageContaining("no");
    assertThat(sink.closed()).isEqualTo(1);
    assertThat(vertx.deploymentIDs()).isEmpty();
  }

  @Test
  void verticleThatIsUndeployedMeanwhile_startsNoBus() throws Exception {
    Promise<Void> opening = Promise.promise();
    sink.onOpen(opening::future);
    AtomicReference<Future<ShardBus>> starting = new AtomicReference<>();
    String id =
        await(
            vertx.deployVerticle(
                verticle(
                    () -> {
                      starting.set(startBus());
                      return Future.succeededFuture();
                    },
                    Future::succeededFuture)));
    Awaitility.await().until(() -> sink.opened() == 1);
    Future<Void> undeployed = vertx.undeploy(id);
    opening.complete();
    await(undeployed);
    Awaitility.await().until(() -> starting.get().isComplete());
    assertThat(sink.closed()).isEqualTo(1);
    assertThat(vertx.deploymentIDs()).isEmpty();
  }

  @Test
  void busOfAnotherVerticle_goesOn() throws Exception {
    String id =
        await(vertx.deployVerticle(verticle(Future::succeededFuture, Future::succeededFuture)));
    await(startBus());
    await(vertx.undeploy(id));
    ingest();
    await(bus.get().close());
    assertClosedAfterDelivering();
  }

  /** A client that belonged to the Vert.x would be the first thing that is closed. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void closingVertx_deliversThroughClientsOfTheSink(boolean inVerticle) throws Exception {
    int port =
        await(
                elsewhere
                    .createNetServer()
                    .connectHandler(socket -> socket.handler(socket::write))
                    .listen(0))
            .actualPort();
    AtomicReference<NetClient> client = new AtomicReference<>();
    sink.onOpen(
        () -> {
          client.set(sink.context().vertx().createNetClient());
          return Future.succeededFuture();
        });
    sink.behave(
        batch ->
            client
                .get()
                .connect(port, "localhost")
                .compose(
                    socket -> {
                      Promise<Void> answered = Promise.promise();
                      socket.handler(echo -> answered.tryComplete());
                      socket.write("x");
                      return answered.future().eventually(socket::close);
                    }));
    if (inVerticle) {
      await(vertx.deployVerticle(verticle(this::startBus, Future::succeededFuture)));
    } else {
      await(startBus());
    }
    ingest();
    await(vertx.close());
    assertClosedAfterDelivering();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void gateway_closesWithItsVerticleBeforeTheBus(int loops) throws Exception {
    sink.hang();
    String id =
        await(
            vertx.deployVerticle(
                verticle(
                    () ->
                        startBus()
                            .compose(
                                b ->
                                    Gateway.start(
                                        vertx,
                                        b,
                                        new GatewayOptions().setPort(0).setEventLoops(loops)))
                            .onSuccess(gateway::set),
                    Future::succeededFuture)));
    var http = elsewhere.createHttpClient();
    Future<Integer> asked =
        http.request(HttpMethod.POST, gateway.get().port(), "localhost", "/v1/events?ack=delivered")
            .compose(
                request -> request.putHeader("Content-Type", "application/x-ndjson").send("1\n"))
            .map(response -> response.statusCode());
    Awaitility.await().until(() -> asked.isComplete() || bus.get().stats().total().accepted() == 1);
    assertThat(asked.isComplete()).as("%s", asked).isFalse();
    Future<Void> undeployed = vertx.undeploy(id);
    Awaitility.await()
        .until(
            () ->
                http.request(HttpMethod.GET, gateway.get().port(), "localhost", "/health/live")
                    .compose(request -> request.send())
                    .transform(end -> Future.succeededFuture(end.failed()))
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get());
    assertThat(bus.get().shards().isClosed()).as("closed before its gateway").isFalse();
    sink.heal();
    assertThat(await(asked)).isEqualTo(202);
    await(undeployed);
    assertThat(bus.get().shards().isClosed()).isTrue();
    assertThat(sink.count()).isEqualTo(1);
    assertThat(vertx.deploymentIDs()).isEmpty();
  }

  /** By hand: {@code -Dshardbus.rounds=1000} tells of threads, descriptors and heap. */
  @Test
  void verticle_canBeDeployedAgainAndAgain() throws Exception {
    int rounds = Integer.getInteger("shardbus.rounds", 100);
    int port = Ports.free();
    ShardBusOptions options =
        new ShardBusOptions()
            .setShards(2)
            .setRingCapacity(1024)
            .setDataDir(dir.toString())
            .setSink(new SinkOptions("log"));
    for (int round = 0; round < rounds; round++) {
      String id =
          await(
              vertx.deployVerticle(
                  verticle(
                      () ->
                          ShardBus.start(vertx, options)
                              .onSuccess(bus::set)
                              .compose(
                                  b -> Gateway.start(vertx, b, new GatewayOptions().setPort(port))),
                      Future::succeededFuture)));
      for (int i = 0; i < 10; i++) {
        bus.get().ingest(RawEvent.of("event " + i));
      }
      await(vertx.undeploy(id));
      assertThat(bus.get().stats().total().delivered()).isEqualTo(10);
      if (round % Math.max(1, rounds / 10) == 0) {
        System.out.println(round + ": " + figures());
      }
    }
    assertThat(vertx.deploymentIDs()).isEmpty();
    assertThat(Thread.activeCount()).isLessThan(100);
  }

  private static String figures() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    String[] descriptors = new java.io.File("/proc/self/fd").list();
    return Thread.getAllStackTraces().size()
        + " threads, "
        + (descriptors == null ? -1 : descriptors.length)
        + " descriptors, "
        + ((runtime.totalMemory() - runtime.freeMemory()) >> 10)
        + " KiB of heap";
  }
}
