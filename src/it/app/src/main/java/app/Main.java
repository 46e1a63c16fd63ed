package app;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.shardbus.ShardBus;
import io.shardbus.gateway.Gateway;
import io.shardbus.gateway.GatewayOptions;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.http.WebSocketConnectOptions;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.auth.User;
import io.vertx.ext.auth.authentication.AuthenticationProvider;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.handler.BasicAuthHandler;
import io.vertx.micrometer.MicrometerMetricsFactory;
import io.vertx.micrometer.MicrometerMetricsOptions;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** Mounts a bus, authenticates, measures, redeploys and closes. Says what it sees. */
public class Main {

  private static final SimpleMeterRegistry METERS = new SimpleMeterRegistry();

  public static void main(String[] arguments) throws Exception {
    Vertx vertx =
        Vertx.builder()
            .with(
                new VertxOptions()
                    .setMetricsOptions(new MicrometerMetricsOptions().setEnabled(true)))
            .withMetrics(new MicrometerMetricsFactory(METERS))
            .build();
    JsonObject config =
        new JsonObject()
            .put("address", "orders")
            .put("shards", 1)
            .put("sink", new JsonObject().put("name", "app"));
    for (int round = 1; round <= 2; round++) {
      String bus =
          vertx
              .deployVerticle(
                  "io.shardbus.ShardBusVerticle", new DeploymentOptions().setConfig(config))
              .await();
      Web web = new Web();
      String server = vertx.deployVerticle(web).await();
      System.out.println("nobody " + post(vertx, web.port, "nobody"));
      System.out.println("anna " + post(vertx, web.port, "anna"));
      System.out.println("socket " + send(vertx, web.port));
      System.out.println("measured " + accepted());
      vertx.undeploy(server).await();
      vertx.undeploy(bus).await();
      System.out.println("taken " + AppSinkProvider.TAKEN.get());
      System.out.println("meters left " + METERS.find("shardbus.events.accepted").meters().size());
      System.out.println("found " + ShardBus.find(vertx, "orders").isPresent());
    }
    vertx.close().await();
    System.out.println("closed");
  }

  private static long accepted() {
    return (long)
        METERS.get("shardbus.events.accepted").tag("address", "orders").functionCounter().count();
  }

  private static String basic(String user) {
    byte[] credentials = (user + ":secret").getBytes(StandardCharsets.UTF_8);
    return "Basic " + Base64.getEncoder().encodeToString(credentials);
  }

  private static String send(Vertx vertx, int port) {
    Promise<String> answer = Promise.promise();
    WebSocketClient client = vertx.createWebSocketClient();
    client
        .connect(
            new WebSocketConnectOptions()
                .setHost("localhost")
                .setPort(port)
                .setURI("/bus/v1/ingest?ack=delivered")
                .addHeader("Authorization", basic("anna")))
        .onFailure(answer::fail)
        .onSuccess(
            socket -> {
              socket.textMessageHandler(answer::tryComplete);
              socket.writeTextMessage("{}").onFailure(answer::tryFail);
            });
    return answer.future().eventually(client::close).await();
  }

  private static int post(Vertx vertx, int port, String user) {
    HttpClient client = vertx.createHttpClient();
    return client
        .request(HttpMethod.POST, port, "localhost", "/bus/v1/events?ack=delivered")
        .compose(
            request ->
                request
                    .putHeader("Authorization", basic(user))
                    .putHeader("Content-Type", "application/json")
                    .send(Buffer.buffer("{}")))
        .map(HttpClientResponse::statusCode)
        .eventually(client::close)
        .await();
  }

  /** The application's server. */
  private static class Web extends VerticleBase {

    volatile int port;

    @Override
    public Future<?> start() {
      AuthenticationProvider users =
          credentials ->
              "anna".equals(credentials.toJson().getString("username"))
                  ? Future.succeededFuture(User.fromName("anna"))
                  : Future.failedFuture("unknown");
      Router mine = Router.router(vertx);
      Gateway.mount(mine, ShardBus.find(vertx, "orders").orElseThrow(), new GatewayOptions());
      Router app = Router.router(vertx);
      app.route("/bus/*").handler(BasicAuthHandler.create(users));
      app.route("/bus/*").subRouter(mine);
      return vertx
          .createHttpServer()
          .requestHandler(app)
          .listen(0)
          .onSuccess(server -> port = server.actualPort());
    }
  }
}
