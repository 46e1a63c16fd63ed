package examples;

import io.micrometer.core.instrument.MeterRegistry;
import io.shardbus.ShardBus;
import io.shardbus.ShardBusHealth;
import io.shardbus.event.IngestResult;
import io.shardbus.event.Intercepted;
import io.shardbus.event.RawEvent;
import io.shardbus.gateway.Gateway;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.metrics.BusMetrics;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.vertx.config.ConfigRetriever;
import io.vertx.config.ConfigRetrieverOptions;
import io.vertx.config.ConfigStoreOptions;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.auth.authorization.RoleBasedAuthorization;
import io.vertx.ext.healthchecks.HealthChecks;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.handler.AuthenticationHandler;
import io.vertx.ext.web.handler.AuthorizationHandler;
import io.vertx.ext.web.healthchecks.HealthCheckHandler;
import java.time.Duration;
import java.util.List;

public class Embedding {
  static Future<Void> send(ShardBus bus) {
    IngestResult result = bus.ingest(RawEvent.of(Buffer.buffer("{\"n\":1}"), "user-7"));
    if (!result.accepted()) {
      System.err.println("not taken: " + result.outcome()); // such as BACKPRESSURE: try later
    }
    return bus.ingestAwait(RawEvent.of("{\"n\":2}"), Duration.ofSeconds(5)) // waits for room
        .compose(taken -> bus.deliver(RawEvent.of("{\"n\":3}"))) // waits for the sink
        .onFailure(e -> System.err.println("not delivered: " + e.getMessage()))
        .mapEmpty();
  }

  static Future<IngestResult> order(ShardBus bus, Buffer order, String trace) {
    RawEvent event =
        RawEvent.builder(order).key("user-7").id("order-4711").header("traceparent", trace).build();
    return bus.deliverAwait(event) // DUPLICATE counts as taken
        .recover(e -> bus.deliverAwait(event)); // once more: it is not there twice
  }

  static Runnable requireTenant(ShardBus bus) {
    return bus.intercept(
        event ->
            event.headers().get("tenant") == null
                ? Intercepted.refuse("no_tenant") // the sender gets INTERCEPTED and this reason
                : event); // or another event in its place
  }

  static Future<List<Buffer>> read(ShardBus bus) {
    ReplayableSink sink = (ReplayableSink) bus.sink();
    return sink.read(EventQuery.of(null, 100))
        .map(page -> page.events().stream().map(stored -> stored.event().payload()).toList());
  }

  static Future<Void> scale(ShardBus bus) {
    return bus.scaleUp(2) // takes events once the future completes
        .compose(ids -> bus.removeShard(ids.get(0))) // completes once it has delivered all it held
        .onFailure(e -> System.err.println(e.getMessage())); // a ScalingException has a reason
  }

  static Future<Gateway> serve(Vertx vertx, ShardBus bus, MeterRegistry registry) {
    new BusMetrics(bus).bindTo(registry); // not needed for the registry of the Vert.x itself
    return Gateway.start(vertx, bus, new GatewayOptions().setPort(0));
  }

  static Future<String> deploy(Vertx vertx) {
    JsonObject config =
        new JsonObject()
            .put("address", "orders")
            .put("sink", new JsonObject().put("name", "memory"))
            .put("gateway", new JsonObject().put("port", 0));
    return vertx
        .deployVerticle("io.shardbus.ShardBusVerticle", new DeploymentOptions().setConfig(config))
        .onSuccess(
            id -> ShardBus.find(vertx, "orders").ifPresent(bus -> bus.ingest(RawEvent.of("{}"))));
  }

  static Future<HttpServer> mount(Vertx vertx, ShardBus bus, AuthenticationHandler users) {
    Router app = Router.router(vertx);
    app.route("/bus/*").handler(users);
    app.route("/bus/v1/shards*")
        .handler(AuthorizationHandler.create(RoleBasedAuthorization.create("admin")));
    Router mine = Router.router(vertx);
    Gateway.mount(mine, bus, new GatewayOptions());
    app.route("/bus/*").subRouter(mine);

    HealthChecks checks = HealthChecks.create(vertx);
    ShardBusHealth.register(checks, bus);
    app.get("/health").handler(HealthCheckHandler.createWithHealthChecks(checks));

    var options = new HttpServerOptions().setWebSocketSubProtocols(List.of(Gateway.SUBPROTOCOL));
    return vertx.createHttpServer(options).requestHandler(app).listen(0);
  }

  static Future<String> deployFromFile(Vertx vertx, String file) {
    var json =
        new ConfigStoreOptions().setType("file").setConfig(new JsonObject().put("path", file));
    return ConfigRetriever.create(vertx, new ConfigRetrieverOptions().addStore(json))
        .getConfig()
        .compose(
            config ->
                vertx.deployVerticle(
                    "io.shardbus.ShardBusVerticle", new DeploymentOptions().setConfig(config)));
  }
}
