package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.delivery.BatchOptions;
import io.shardbus.delivery.WaitingRoom;
import io.shardbus.event.ShardEvent;
import io.shardbus.gateway.TestGateway.Answer;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.net.Budget;
import io.shardbus.net.WebSocketLife;
import io.shardbus.shard.Shard;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.WebSocket;
import io.vertx.core.json.JsonObject;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A gateway whose connections are served by several event loops, and what they share. */
class EventLoopsTest {

  private static final int LOOPS = 3;

  private TestGateway server;

  @AfterEach
  void tearDown() throws Exception {
    if (server != null) {
      server.close();
    }
  }

  private static GatewayOptions loops() {
    return new GatewayOptions().setEventLoops(LOOPS);
  }

  private Socket socket(int port) throws Exception {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(30_000);
    return socket;
  }

  /** The status of an answer; the connection stays. */
  private static int ask(Socket socket, String request) throws Exception {
    socket
        .getOutputStream()
        .write(
            (request + " HTTP/1.1\r\nHost: localhost\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
    String line = new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII);
    return Integer.parseInt(line.substring(9));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, LOOPS})
  void connections_areSpread(int loops) throws Exception {
    server = new TestGateway(new GatewayOptions());
    Set<String> threads = ConcurrentHashMap.newKeySet();
    ShardBus watched =
        (ShardBus)
            Proxy.newProxyInstance(
                ShardBus.class.getClassLoader(),
                new Class<?>[] {ShardBus.class, WaitingRoom.Holder.class},
                (proxy, method, arguments) -> {
                  if (method.getName().equals("notReady")) {
                    threads.add(Thread.currentThread().getName());
                  }
                  try {
                    return method.invoke(server.bus, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
    Gateway gateway =
        TestGateway.await(
            Gateway.start(
                server.vertx, watched, new GatewayOptions().setPort(0).setEventLoops(loops)));
    List<Socket> open = new ArrayList<>();
    try {
      for (int i = 0; i < 4 * LOOPS; i++) {
        open.add(socket(gateway.port()));
        assertThat(ask(open.get(i), "GET /health/ready")).isEqualTo(200);
      }
      assertThat(gateway.connections()).isEqualTo(4 * LOOPS);
    } finally {
      for (Socket each : open) {
        each.close();
      }
    }
    assertThat(threads).hasSize(loops);
    Awaitility.await().until(() -> gateway.connections() == 0);
  }

  @Test
  void freePorts_areOnesOfTheirOwn() throws Exception {
    server = new TestGateway(loops());
    Set<String> before = server.vertx.deploymentIDs();
    Gateway other = TestGateway.await(Gateway.start(server.vertx, server.bus, loops().setPort(0)));
    int port = other.port();
    assertThat(port).isNotEqualTo(server.gateway.port());
    TestGateway.await(other.close());
    assertThat(server.vertx.deploymentIDs()).isEqualTo(before);
    Awaitility.await()
        .ignoreException(BindException.class) // the system closes it in its own time
        .until(
            () -> {
              new ServerSocket(port, 1, InetAddress.getLoopbackAddress()).close();
              return true;
            });
    for (int i = 0; i < 2 * LOOPS; i++) {
      try (Socket socket = socket(server.gateway.port())) {
        assertThat(ask(socket, "GET /health/ready")).isEqualTo(200);
      }
    }
  }

  @Test
  void takenPort_leavesNothing() throws Exception {
    server = new TestGateway(new GatewayOptions());
    Set<String> before = server.vertx.deploymentIDs();
    GatewayOptions options = loops();
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      options.setPort(taken.getLocalPort());
      assertThatThrownBy(() -> TestGateway.await(Gateway.start(server.vertx, server.bus, options)))
          .cause()
          .hasMessageContaining("cannot listen on 127.0.0.1:" + taken.getLocalPort());
    }
    TestGateway.await(Gateway.start(server.vertx, server.bus, options).compose(Gateway::close));
    assertThat(server.vertx.deploymentIDs()).isEqualTo(before);
  }

  @Test
  void connections_areCountedExactly() throws Exception {
    int most = 20;
    int asking = 60;
    server = new TestGateway(loops().setMaxConnections(most));
    ExecutorService threads = Executors.newFixedThreadPool(8);
    List<Socket> open = Collections.synchronizedList(new ArrayList<>());
    Map<Integer, Integer> answers = new HashMap<>();
    try {
      List<Future<Integer>> statuses = new ArrayList<>();
      for (int i = 0; i < asking; i++) {
        statuses.add(
            threads.submit(
                () -> {
                  Socket socket = socket(server.gateway.port());
                  open.add(socket);
                  return ask(socket, "GET /health/live");
                }));
      }
      for (Future<Integer> each : statuses) {
        answers.merge(each.get(30, TimeUnit.SECONDS), 1, Integer::sum);
      }
    } finally {
      threads.shutdownNow();
      for (Socket each : open) {
        each.close();
      }
    }
    assertThat(answers).isEqualTo(Map.of(200, most, 503, asking - most));
    Awaitility.await().until(() -> server.gateway.connections() == 0);
  }

  /** What one of several connections is told. */
  private record Client(WebSocket socket, BlockingQueue<JsonObject> frames, Promise<Short> end) {}

  private Client connect() throws Exception {
    return connect(server.gateway.port());
  }

  private Client connect(int port) throws Exception {
    WebSocket socket =
        TestGateway.await(server.webSockets.connect(port, "127.0.0.1", "/v1/ingest?ack=delivered"));
    BlockingQueue<JsonObject> frames = new LinkedBlockingQueue<>();
    Promise<Short> end = Promise.promise();
    socket.textMessageHandler(text -> frames.add(new JsonObject(text)));
    socket.closeHandler(closed -> end.complete(socket.closeStatusCode()));
    return new Client(socket, frames, end);
  }

  private static long acked(Client client, long all) throws Exception {
    long acked = 0;
    while (acked < all) {
      JsonObject frame = client.frames().poll(30, TimeUnit.SECONDS);
      assertThat(frame).as("acknowledged so far: " + acked).isNotNull();
      assertThat(frame.getJsonObject("rejected")).isNull();
      acked = frame.getLong("acked");
    }
    return acked;
  }

  /** Far more than there is room for: sockets and bodies wait, on each loop by themselves. */
  @Test
  void whatWaits_goesOnOnEachLoop() throws Exception {
    int sockets = 12;
    int uploads = 5; // as many connections as the client opens
    int lines = 2_000;
    RecordingSink sink = new RecordingSink().hang();
    ShardBusOptions small =
        new ShardBusOptions()
            .setShards(2)
            .setRingCapacity(1024)
            .setBatch(new BatchOptions().setMaxSize(1_000));
    server = new TestGateway(small, sink, loops(), new HttpClientOptions());
    List<Client> clients = new ArrayList<>();
    for (int i = 0; i < sockets; i++) {
      clients.add(connect());
    }
    ExecutorService threads = Executors.newFixedThreadPool(uploads);
    List<Future<Answer>> answers = new ArrayList<>();
    for (int i = 0; i < uploads; i++) {
      String body = lines(sockets + i, lines);
      answers.add(
          threads.submit(
              () -> server.post("/v1/events?ack=delivered", "application/x-ndjson", body)));
    }
    for (int i = 0; i < sockets; i++) {
      for (int from = 0; from < lines; from += 100) {
        clients.get(i).socket().writeTextMessage(lines(i, from, from + 100));
      }
    }
    Awaitility.await()
        .until(
            () ->
                server.bus.shards().shards().stream().anyMatch(Shard::isFull)
                    && server.gateway.partialBytes() > 0);
    sink.heal();
    for (Client each : clients) {
      assertThat(acked(each, lines)).isEqualTo(lines);
    }
    for (Future<Answer> each : answers) {
      JsonObject counts = each.get(60, TimeUnit.SECONDS).json();
      assertThat(counts.getInteger("delivered")).as("%s", counts).isEqualTo(lines);
    }
    threads.shutdownNow();
    long all = (long) (sockets + uploads) * lines;
    assertThat(sink.count()).isEqualTo(all);
    assertThat(sink.faults()).isEmpty();
    Map<String, Integer> last = new HashMap<>(); // of a client at a shard
    for (ShardEvent event : sink.all()) {
      JsonObject json = new JsonObject(event.payload().toString());
      String lane = event.shard() + " " + json.getInteger("c");
      Integer before = last.put(lane, json.getInteger("n"));
      assertThat(before == null ? -1 : before).as(lane).isLessThan(json.getInteger("n"));
    }
    var total = server.bus.stats().total();
    assertThat(total.accepted()).isEqualTo(total.delivered()).isEqualTo(all);
    assertThat(server.gateway.partialBytes()).isZero();
  }

  private static String lines(int client, int count) {
    return lines(client, 0, count);
  }

  private static String lines(int client, int from, int to) {
    StringBuilder text = new StringBuilder();
    for (int n = from; n < to; n++) {
      text.append("{\"c\":").append(client).append(",\"n\":").append(n).append("}\n");
    }
    return text.toString();
  }

  @Test
  void closing_tellsTheClientsOfEachLoop() throws Exception {
    Promise<Void> gate = Promise.promise();
    server = TestGateway.stalled(gate.future(), loops());
    List<Client> clients = new ArrayList<>();
    for (int i = 0; i < 2 * LOOPS; i++) {
      clients.add(connect());
      clients.get(i).socket().writeTextMessage("1\n2\n3");
    }
    Awaitility.await().until(() -> server.bus.stats().total().accepted() == 3L * 2 * LOOPS);
    var closing = server.gateway.close();
    gate.complete();
    TestGateway.await(closing);
    for (Client each : clients) {
      assertThat(acked(each, 3)).isEqualTo(3);
      assertThat(TestGateway.await(each.end().future())).isEqualTo(WebSocketLife.GOING_AWAY);
    }
    Awaitility.await().until(() -> server.gateway.connections() == 0);
  }

  @Test
  void verticleThatStops_canCloseItsGatewayWithGrace() throws Exception {
    Promise<Void> gate = Promise.promise();
    server = TestGateway.stalled(gate.future(), new GatewayOptions());
    AtomicReference<Gateway> gateway = new AtomicReference<>();
    String verticle =
        TestGateway.await(
            server.vertx.deployVerticle(
                new VerticleBase() {
                  @Override
                  public io.vertx.core.Future<?> start() {
                    return Gateway.start(vertx, server.bus, loops().setPort(0))
                        .onSuccess(gateway::set);
                  }

                  @Override
                  public io.vertx.core.Future<?> stop() {
                    return gateway.get().close();
                  }
                }));
    Client client = connect(gateway.get().port());
    client.socket().writeTextMessage("1\n2\n3");
    Awaitility.await().until(() -> server.bus.stats().total().accepted() == 3);
    var undeployed = server.vertx.undeploy(verticle);
    gate.complete();
    assertThat(acked(client, 3)).isEqualTo(3);
    assertThat(TestGateway.await(client.end().future())).isEqualTo(WebSocketLife.GOING_AWAY);
    TestGateway.await(undeployed);
    assertThat(gateway.get().connections()).isZero();
  }

  /** What is refused must not be in the way of what fits. */
  @Test
  void budget_refusesOnlyWhatDoesNotFit() throws Exception {
    long limit = 1_000;
    int takers = 2;
    Budget budget = new Budget(() -> limit);
    AtomicBoolean over = new AtomicBoolean();
    AtomicLong most = new AtomicLong();
    ExecutorService threads = Executors.newCachedThreadPool();
    try {
      Future<Boolean> greedy =
          threads.submit(
              () -> {
                boolean refused = true;
                Budget.Share share = budget.share();
                while (!over.get()) {
                  refused &= !share.resize(limit + 1);
                  most.accumulateAndGet(budget.used(), Math::max);
                }
                return refused;
              });
      Future<Boolean> first = threads.submit(() -> alwaysFits(budget.share(), limit / takers));
      Future<Boolean> second = threads.submit(() -> alwaysFits(budget.share(), limit / takers));
      assertThat(first.get(60, TimeUnit.SECONDS)).isTrue();
      assertThat(second.get(60, TimeUnit.SECONDS)).isTrue();
      over.set(true);
      assertThat(greedy.get(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      over.set(true);
      threads.shutdownNow();
    }
    assertThat(most.get()).isBetween(0L, limit);
    assertThat(budget.used()).isZero();
  }

  private static boolean alwaysFits(Budget.Share share, long bytes) {
    boolean fits = true;
    for (int i = 0; i < 200_000; i++) {
      fits &= share.resize(bytes);
      share.free();
    }
    return fits;
  }
}
