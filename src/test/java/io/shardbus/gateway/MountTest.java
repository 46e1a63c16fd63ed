package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.sink.SinkOptions;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.http.WebSocketClientOptions;
import io.vertx.core.http.WebSocketConnectOptions;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.auth.User;
import io.vertx.ext.auth.authentication.AuthenticationProvider;
import io.vertx.ext.auth.authorization.RoleBasedAuthorization;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.handler.AuthorizationHandler;
import io.vertx.ext.web.handler.BasicAuthHandler;
import io.vertx.ext.web.handler.BodyHandler;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A gateway under a path of an application, behind the application's own handlers. */
class MountTest {

  private final Vertx vertx = Vertx.vertx();
  private final HttpClient http = vertx.createHttpClient();
  private final WebSocketClient webSockets =
      // As browsers do, it offers compression.
      vertx.createWebSocketClient(
          new WebSocketClientOptions().setTryUsePerMessageCompression(true));
  private ShardBus bus;
  private Gateway gateway;
  private Router app;
  private volatile int port;

  private record Answer(int status, MultiMap headers, String body) {

    JsonObject json() {
      return new JsonObject(body);
    }
  }

  @BeforeEach
  void startBus() throws Exception {
    bus =
        await(
            ShardBus.start(
                vertx,
                new ShardBusOptions()
                    .setShards(2)
                    .setSink(new SinkOptions("memory"))
                    .setScaling(ScalingPolicy.defaults(4).setAutoScale(false))));
    app = Router.router(vertx);
  }

  @AfterEach
  void tearDown() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  /** Under {@code /app/bus}, in a router of a router. */
  private void mount(GatewayOptions options) throws Exception {
    Router mine = Router.router(vertx);
    gateway = Gateway.mount(mine, bus, options);
    app.route("/app/*").subRouter(mount(Router.router(vertx), mine));
    listen();
  }

  private static Router mount(Router outer, Router inner) {
    outer.route("/bus/*").subRouter(inner);
    return outer;
  }

  private void listen() throws Exception {
    port =
        await(
                vertx
                    .createHttpServer(
                        new HttpServerOptions()
                            .setWebSocketSubProtocols(List.of(Gateway.SUBPROTOCOL)))
                    .requestHandler(app)
                    .listen(0))
            .actualPort();
  }

  /** Anna may do all, Ben may send and read. The answer takes a while, as that of a server. */
  private void secure() {
    AuthenticationProvider users =
        credentials ->
            Future.future(
                done ->
                    vertx.setTimer(
                        5,
                        timer -> {
                          String name = credentials.toJson().getString("username");
                          if (List.of("anna", "ben").contains(name)) {
                            User user = User.fromName(name);
                            if (name.equals("anna")) {
                              user.authorizations()
                                  .put("test", RoleBasedAuthorization.create("admin"));
                            }
                            done.complete(user);
                          } else {
                            done.fail("unknown");
                          }
                        }));
    app.route("/app/*").handler(BasicAuthHandler.create(users));
    app.route("/app/bus/v1/shards*")
        .handler(AuthorizationHandler.create(RoleBasedAuthorization.create("admin")));
  }

  private static String basic(String user) {
    return "Basic "
        + Base64.getEncoder().encodeToString((user + ":x").getBytes(StandardCharsets.UTF_8));
  }

  private Answer send(HttpMethod method, String path, String user, String type, String body)
      throws Exception {
    return await(
        http.request(method, port, "localhost", path)
            .compose(
                request -> {
                  if (user != null) {
                    request.putHeader("Authorization", basic(user));
                  }
                  if (type != null) {
                    request.putHeader("Content-Type", type);
                  }
                  // Before it is sent, so that no part of the answer is missed.
                  Future<Answer> answer = request.response().compose(MountTest::answer);
                  return request.end(Buffer.buffer(body)).compose(sent -> answer);
                }));
  }

  private static Future<Answer> answer(HttpClientResponse response) {
    return response
        .body()
        .map(body -> new Answer(response.statusCode(), response.headers(), body.toString()));
  }

  private Answer get(String path) throws Exception {
    return send(HttpMethod.GET, path, null, null, "");
  }

  private Answer post(String path, String body) throws Exception {
    return send(HttpMethod.POST, path, null, "application/json", body);
  }

  @Test
  void routes_answerUnderTheirPrefixOnly() throws Exception {
    app.get("/app/own").handler(context -> context.end("mine"));
    mount(new GatewayOptions());
    assertThat(post("/app/bus/v1/events?ack=delivered", "{\"n\":1}").status()).isEqualTo(202);
    assertThat(get("/app/bus/v1/events").json().getJsonArray("events")).hasSize(1);
    assertThat(get("/app/bus/health/ready").status()).isEqualTo(200);
    assertThat(post("/app/bus/v1/shards", "{\"count\":1}").status()).isEqualTo(201);
    assertThat(send(HttpMethod.HEAD, "/app/bus/v1/stats", null, null, "").status()).isEqualTo(200);
    assertThat(get("/app/bus/metrics").status()).isEqualTo(404);
    assertThat(get("/app/own").body()).isEqualTo("mine");
    assertThat(get("/v1/events").body()).contains("Resource not found"); // the application's
    assertThat(get("/app/bus/v1/nothing").json().getString("detail"))
        .isEqualTo("nothing at /app/bus/v1/nothing");
    Answer put = send(HttpMethod.PUT, "/app/bus/v1/events", null, null, "");
    assertThat(put.status()).isEqualTo(405);
    assertThat(put.headers().get("Allow")).isEqualTo("GET, HEAD, POST");
    Answer large = post("/app/bus/v1/shards", " ".repeat(70_000));
    assertThat(large.status()).isEqualTo(413);
    assertThat(large.json().getString("detail")).contains("65536 bytes");
    assertThat(get("/app/bus/v1/limits").json().fieldNames())
        .contains("maxEventBytes", "maxEventsPerSecondPerClient")
        .doesNotContain("maxConnections", "maxConnectionsPerClient");
    assertThat(get("/app/bus/openapi.json").json().getJsonArray("servers").getJsonObject(0))
        .isEqualTo(new JsonObject().put("url", "/app/bus"));
  }

  @Test
  void router_takesThemAtItsRootToo() throws Exception {
    gateway = Gateway.mount(app, bus, new GatewayOptions());
    listen();
    assertThat(post("/v1/events", "{}").status()).isEqualTo(202);
    assertThat(get("/").body()).contains("console/main.js");
    assertThat(get("/openapi.json").body())
        .isEqualTo(
            Files.readString(Path.of("src/main/resources/io/shardbus/gateway/openapi.json")));
  }

  @Test
  void handlersOfTheApplication_decideWhoMayDoWhat() throws Exception {
    secure();
    mount(new GatewayOptions());
    String events = "/app/bus/v1/events";
    Answer nobody = post(events, "{}");
    assertThat(nobody.status()).isEqualTo(401);
    assertThat(nobody.headers().get("WWW-Authenticate")).startsWith("Basic");
    for (String user : List.of("anna", "ben")) {
      String body = "{\"n\":1}\n".repeat(100_000);
      assertThat(send(HttpMethod.POST, events, user, "application/x-ndjson", body).body())
          .contains("\"accepted\":100000");
    }
    String shards = "/app/bus/v1/shards";
    String one = "{\"count\":1}";
    assertThat(send(HttpMethod.POST, shards, "ben", "application/json", one).status())
        .isEqualTo(403);
    assertThat(send(HttpMethod.POST, shards, "anna", "application/json", one).status())
        .isEqualTo(201);
  }

  @Test
  void webSocket_worksUnderThePrefixUntilTheGatewayCloses() throws Exception {
    secure();
    mount(new GatewayOptions());
    WebSocketConnectOptions to =
        new WebSocketConnectOptions()
            .setHost("localhost")
            .setPort(port)
            .setURI("/app/bus/v1/ingest?ack=delivered")
            .addSubProtocol(Gateway.SUBPROTOCOL);
    assertThatThrownBy(() -> await(webSockets.connect(new WebSocketConnectOptions(to))))
        .hasMessageContaining("401");
    WebSocket socket = await(webSockets.connect(to.addHeader("Authorization", basic("ben"))));
    assertThat(socket.subProtocol()).isEqualTo(Gateway.SUBPROTOCOL);
    CompletableFuture<String> answer = new CompletableFuture<>();
    CompletableFuture<Short> closed = new CompletableFuture<>();
    socket.textMessageHandler(answer::complete);
    socket.closeHandler(gone -> closed.complete(socket.closeStatusCode()));
    await(socket.writeTextMessage("{\"text\":\"" + "a".repeat(1_000) + "\"}"));
    assertThat(answer.get(30, TimeUnit.SECONDS)).isEqualTo("{\"acked\":1}");
    await(gateway.close());
    assertThat(closed.get(30, TimeUnit.SECONDS)).isEqualTo((short) 1001);
    assertThat(send(HttpMethod.GET, "/app/bus/v1/events", "ben", null, "").status()).isEqualTo(404);
    assertThat(bus.shards().isClosed()).isFalse();
  }

  @Test
  void console_loadsItsPartsBesideIt() throws Exception {
    mount(new GatewayOptions());
    Answer page = get("/app/bus");
    assertThat(page.status()).isEqualTo(302);
    assertThat(page.headers().get("Location")).isEqualTo("bus/");
    assertThat(get("/app/bus/").body()).contains("src=\"console/main.js\"");
    assertThat(get("/app/bus/console/main.js").status()).isEqualTo(200);
    assertThat(get("/app/bus/console/lib/chart.umd.min.js").status()).isEqualTo(200);
    assertThat(get("/app/bus/console/none.js").status()).isEqualTo(404);
  }

  @ParameterizedTest
  @CsvSource({
    "host, '\"0.0.0.0\"'",
    "port, 0",
    "eventLoops, 2",
    "insecure, true",
    "tokensFile, '\"tokens\"'",
    "token, '{\"read\":\"0123456789abcdef0123\"}'",
    "tls, '{\"key\":\"key.pem\"}'",
    "compression, false",
    "http2ClearText, true",
    "maxUriBytes, 2048",
    "maxHeaderBytes, 2048",
    "maxConnections, 5",
    "maxConnectionsPerClient, 5"
  })
  void optionOfTheServer_isRefused(String name, String value) {
    GatewayOptions options = new GatewayOptions(new JsonObject("{\"" + name + "\":" + value + "}"));
    assertThatThrownBy(() -> Gateway.mount(app, bus, options))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            name
                + ": does not apply to a mounted gateway: the server, and the access to it, are the"
                + " application's");
    assertThat(app.getRoutes()).isEmpty();
  }

  @Test
  void bodyThatTheApplicationRead_isAnErrorThatSaysSo() throws Exception {
    app.route().handler(BodyHandler.create(false));
    mount(new GatewayOptions());
    Answer answer = post("/app/bus/v1/events", "{}");
    assertThat(answer.status()).isEqualTo(500);
    assertThat(answer.json().getString("detail")).contains("before its BodyHandler");
  }

  @Test
  void verticle_takesItsGatewayAlongAndOthersMustHaveTheirOwn() throws Exception {
    String id =
        await(
            vertx.deployVerticle(
                new VerticleBase() {
                  @Override
                  public Future<?> start() {
                    gateway = Gateway.mount(app, bus, new GatewayOptions());
                    return Future.succeededFuture();
                  }
                }));
    listen();
    Answer other = get("/health/live");
    assertThat(other.status()).isEqualTo(200);
    // Verticles get the event loops in turn, so one of these gets another than the first server.
    for (int i = 0; i < VertxOptions.DEFAULT_EVENT_LOOP_POOL_SIZE && other.status() == 200; i++) {
      await(
          vertx.deployVerticle(
              new VerticleBase() {
                @Override
                public Future<?> start() {
                  return vertx
                      .createHttpServer()
                      .requestHandler(app)
                      .listen(0)
                      .onSuccess(server -> port = server.actualPort());
                }
              }));
      other = get("/health/live");
    }
    assertThat(other.status()).isEqualTo(500);
    assertThat(other.json().getString("detail")).contains("another event loop");
    await(vertx.undeploy(id));
    Awaitility.await().until(() -> app.getRoutes().isEmpty());
  }
}
