package io.shardbus.gateway;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.http.WebSocketConnectOptions;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A bus with a gateway, and clients for it. */
final class TestGateway {

  /** With more event loops than any of the tests uses, however few processors there are. */
  final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(4));

  final ShardBus bus;
  final Gateway gateway;
  final HttpClient http;
  final WebSocketClient webSockets = vertx.createWebSocketClient();

  /** An answer, its headers by lower-case name. */
  record Answer(int status, Map<String, String> headers, String body) {

    String header(String name) {
      return headers.get(name.toLowerCase(java.util.Locale.ROOT));
    }

    JsonObject json() {
      return new JsonObject(body);
    }

    String detail() {
      return json().getString("detail");
    }
  }

  TestGateway(GatewayOptions options) throws Exception {
    this(
        new ShardBusOptions()
            .setShards(2)
            .setScaling(ScalingPolicy.defaults(4).setAutoScale(false)),
        Sinks.create(new SinkOptions("memory")),
        options,
        new HttpClientOptions());
  }

  TestGateway(
      ShardBusOptions busOptions, Sink sink, GatewayOptions options, HttpClientOptions client)
      throws Exception {
    http = vertx.createHttpClient(client);
    try {
      bus = await(ShardBus.start(vertx, busOptions, sink));
      gateway =
          await(
              Gateway.start(
                  vertx,
                  bus,
                  options.setPort(0),
                  new PrometheusMeterRegistry(PrometheusConfig.DEFAULT)));
    } catch (Exception e) {
      await(vertx.close());
      throw e;
    }
  }

  /** One small shard, whose sink takes nothing before the gate is open. */
  static TestGateway stalled(Future<Void> gate, GatewayOptions options) throws Exception {
    return new TestGateway(
        new ShardBusOptions().setShards(1).setRingCapacity(1024),
        new RecordingSink().behave(batch -> gate),
        options,
        new HttpClientOptions());
  }

  /** Options with the least waits, which must be shorter. */
  static GatewayOptions idleAfter(int seconds) {
    return new GatewayOptions()
        .setIdleTimeout(Duration.ofSeconds(seconds))
        .setAckTimeout(Duration.ofSeconds(1))
        .setBackpressureTimeout(Duration.ofSeconds(1));
  }

  static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  Answer send(HttpMethod method, String uri, Map<String, String> headers, Buffer body)
      throws Exception {
    return await(
        http.request(method, gateway.port(), "127.0.0.1", uri)
            .compose(
                request -> {
                  headers.forEach(request::putHeader);
                  // Before it is sent, so that no part of the answer is missed.
                  Future<Answer> answer = request.response().compose(TestGateway::answer);
                  return (body == null ? request.end() : request.end(body))
                      .recover(e -> Future.succeededFuture()) // refused before it was read
                      .compose(done -> answer);
                }));
  }

  private static Future<Answer> answer(HttpClientResponse response) {
    Map<String, String> all = new java.util.HashMap<>();
    response
        .headers()
        .forEach(e -> all.put(e.getKey().toLowerCase(java.util.Locale.ROOT), e.getValue()));
    return response.body().map(bytes -> new Answer(response.statusCode(), all, bytes.toString()));
  }

  Answer get(String uri, String... headers) throws Exception {
    return send(HttpMethod.GET, uri, map(headers), null);
  }

  Answer post(String uri, String type, String body, String... headers) throws Exception {
    Map<String, String> all = new java.util.HashMap<>(map(headers));
    all.put("Content-Type", type);
    return send(HttpMethod.POST, uri, all, Buffer.buffer(body));
  }

  static Map<String, String> map(String... pairs) {
    Map<String, String> map = new java.util.HashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      map.put(pairs[i], pairs[i + 1]);
    }
    return map;
  }

  WebSocket connect(String uri, List<String> subprotocols, String... headers) throws Exception {
    WebSocketConnectOptions options =
        new WebSocketConnectOptions()
            .setHost("127.0.0.1")
            .setPort(gateway.port())
            .setURI(uri)
            .setSubProtocols(subprotocols);
    map(headers).forEach(options::addHeader);
    return await(webSockets.connect(options));
  }

  void close() throws Exception {
    await(vertx.close());
  }
}
