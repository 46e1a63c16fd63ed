package io.shardbus.bench;

import io.nats.client.Connection;
import io.nats.client.Nats;
import io.shardbus.gateway.Gateway;
import io.shardbus.gateway.GatewayOptions;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpResponseExpectation;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketConnectOptions;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Events per second over one connection on the loopback, by how many travel together: Shardbus by
 * HTTP and WebSocket, Redis by pipelined XADD, and NATS by publishing. Neither server writes to a
 * disk, and neither does the sink.
 */
final class NetworkStudy {

  private static final int EVENT_BYTES = 128;
  private static final int[] EVENTS_A_FRAME = {1, 16, 256};
  private static final int UNDER_WAY = 16;
  private static final String LOOPBACK = "127.0.0.1";

  private final Vertx vertx = Vertx.vertx();
  private final long nanos;
  private final Table table =
      new Table(
          "Events per second over one connection, " + EVENT_BYTES + " B each",
          "way",
          "events together",
          "thousand events/s");

  private NetworkStudy(long nanos) {
    this.nanos = nanos;
  }

  public static void main(String[] arguments) throws Exception {
    new NetworkStudy(Study.nanos(arguments)).run();
  }

  private void run() throws Exception {
    for (int events : EVENTS_A_FRAME) {
      http(events);
      webSocket(events);
      redis(events);
      nats(events);
    }
    vertx.close().await();
    System.out.println(table);
  }

  private static String event() {
    String start = "{\"event\":\"";
    return start + "x".repeat(EVENT_BYTES - start.length() - 2) + "\"}";
  }

  private static String frame(int events) {
    return (event() + '\n').repeat(events);
  }

  private void measure(String way, int events, LongSupplier counter) throws InterruptedException {
    Rate.perSecond(counter, nanos);
    double rate = Rate.perSecond(counter, nanos);
    table.row(way, "" + events, String.format(Locale.ROOT, "%.1f", rate / 1e3));
  }

  private void skip(String way, int events, String program) {
    table.row(way, "" + events, "skipped: " + program + " is not installed");
  }

  // ---------------------------------------------------------------- Shardbus

  private void http(int events) throws Exception {
    WholeBus pipeline = new WholeBus(2, Feed.SINGLE);
    Gateway gateway = gateway(pipeline);
    HttpClient client =
        vertx.createHttpClient(
            new HttpClientOptions()
                .setDefaultHost(LOOPBACK)
                .setDefaultPort(gateway.port())
                .setPipelining(true)
                .setPipeliningLimit(UNDER_WAY),
            new PoolOptions().setHttp1MaxSize(1));
    Buffer body = Buffer.buffer(frame(events));
    Repeat repeat = new Repeat();
    for (int i = 0; i < UNDER_WAY; i++) {
      post(client, body, repeat);
    }
    measure("HTTP", events, pipeline::consumed);
    repeat.end();
    client.close().await();
    gateway.close().await();
    pipeline.close();
  }

  private static void post(HttpClient client, Buffer body, Repeat repeat) {
    client
        .request(HttpMethod.POST, "/v1/events")
        .compose(request -> request.putHeader("Content-Type", "application/x-ndjson").send(body))
        .expecting(HttpResponseExpectation.SC_ACCEPTED)
        .compose(HttpClientResponse::end)
        .onComplete(answer -> repeat.again(answer.cause(), () -> post(client, body, repeat)));
  }

  private void webSocket(int events) throws Exception {
    WholeBus pipeline = new WholeBus(2, Feed.SINGLE);
    Gateway gateway = gateway(pipeline);
    var client = vertx.createWebSocketClient();
    Buffer frame = Buffer.buffer(frame(events));
    Repeat repeat = new Repeat();
    client
        .connect(
            new WebSocketConnectOptions()
                .setHost(LOOPBACK)
                .setPort(gateway.port())
                .setURI("/v1/ingest?ack=accepted")
                .addSubProtocol(Gateway.SUBPROTOCOL))
        .onSuccess(
            socket -> {
              socket.drainHandler(drained -> fill(socket, frame, repeat));
              fill(socket, frame, repeat);
            })
        .await();
    measure("WebSocket", events, pipeline::consumed);
    repeat.end();
    client.close().await();
    gateway.close().await();
    pipeline.close();
  }

  private static void fill(WebSocket socket, Buffer frame, Repeat repeat) {
    while (!repeat.ended() && !socket.writeQueueFull()) {
      socket.writeBinaryMessage(frame);
    }
  }

  private Gateway gateway(WholeBus pipeline) {
    return Gateway.start(vertx, pipeline.bus(), new GatewayOptions().setPort(0)).await();
  }

  // ---------------------------------------------------------------- others

  private void redis(int events) throws Exception {
    Optional<ServerProcess> found =
        ServerProcess.start("redis-server", "--port", "--save", "", "--appendonly", "no");
    if (found.isEmpty()) {
      skip("Redis XADD", events, "redis-server");
      return;
    }
    try (ServerProcess server = found.get()) {
      Redis client =
          Redis.createClient(
              vertx,
              new RedisOptions()
                  .setConnectionString("redis://" + LOOPBACK + ":" + server.port())
                  .setMaxWaitingHandlers(2 * UNDER_WAY * events));
      RedisConnection connection = client.connect().await();
      AtomicLong answered = new AtomicLong();
      Repeat repeat = new Repeat();
      for (int i = 0; i < UNDER_WAY; i++) {
        add(connection, events, answered, repeat);
      }
      measure("Redis XADD", events, answered::get);
      repeat.end();
      client.close();
    }
  }

  private static void add(
      RedisConnection connection, int events, AtomicLong answered, Repeat repeat) {
    List<Request> commands = new ArrayList<>(events);
    for (int i = 0; i < events; i++) {
      commands.add(
          Request.cmd(Command.XADD)
              .arg("bench")
              .arg("MAXLEN")
              .arg("~")
              .arg(100_000)
              .arg("*")
              .arg("d")
              .arg(event()));
    }
    connection
        .batch(commands)
        .onComplete(
            answers -> {
              if (answers.succeeded()) {
                answered.addAndGet(answers.result().size());
              }
              repeat.again(answers.cause(), () -> add(connection, events, answered, repeat));
            });
  }

  /** Counts what the server has read: after each lot it is asked for an answer. */
  private void nats(int events) throws Exception {
    Optional<ServerProcess> found = ServerProcess.start("nats-server", "--port", "-a", LOOPBACK);
    if (found.isEmpty()) {
      skip("NATS publish", events, "nats-server");
      return;
    }
    try (ServerProcess server = found.get()) {
      Connection connection = Nats.connect("nats://" + LOOPBACK + ":" + server.port());
      AtomicLong read = new AtomicLong();
      Repeat repeat = new Repeat();
      byte[] event = event().getBytes(StandardCharsets.UTF_8);
      Thread publisher =
          new Thread(
              () -> {
                while (!repeat.ended()) {
                  publish(connection, event, events * UNDER_WAY);
                  read.addAndGet((long) events * UNDER_WAY);
                }
              },
              "publisher");
      publisher.setDaemon(true);
      publisher.start();
      measure("NATS publish", events, read::get);
      repeat.end();
      publisher.join();
      connection.close();
    }
  }

  private static void publish(Connection connection, byte[] event, int count) {
    try {
      for (int i = 0; i < count; i++) {
        connection.publish("bench", event);
      }
      connection.flush(Duration.ofSeconds(10));
    } catch (TimeoutException e) {
      throw new IllegalStateException("the server does not answer", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Keeps something going until it is ended. */
  private static final class Repeat {

    private volatile boolean ended;
    private volatile Throwable failure;

    void again(Throwable failed, Runnable action) {
      if (ended) {
        return;
      }
      if (failed != null) {
        failure = failed;
        return;
      }
      action.run();
    }

    void end() {
      ended = true;
      if (failure != null) {
        throw new IllegalStateException(failure);
      }
    }

    boolean ended() {
      return ended;
    }
  }
}
