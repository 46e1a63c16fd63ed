package io.shardbus.gateway;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.shardbus.ShardBus;
import io.shardbus.metrics.VertxMeters;
import io.shardbus.net.Query;
import io.shardbus.net.SecurityHeaders;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the server answers: its routes, and what is checked before each of them. */
final class Endpoints {

  private static final Logger LOG = LoggerFactory.getLogger(Endpoints.class);
  private static final String ONE_HOST =
      "a request needs one header Host, with a name and perhaps a port";

  private static final String INGEST = "/v1/ingest";
  private static final String TAIL = "/v1/tail";

  private final Vertx vertx;
  private final Limits limits;
  private final Ongoing ongoing = new Ongoing();
  private final Connections connections;
  private final WebSockets webSockets;
  private final Pages pages;
  private final EventReads reads;
  private final Health health;
  private final Admin admin;
  private final DeadLetterRoutes deadLetters;
  private final Settings settings;
  private final History history;
  private final @Nullable Scrape scrape;
  private final Runnable stopObserving;
  private volatile List<Route> routes = List.of();

  /**
   * @param scrape the meters; null to serve none
   */
  Endpoints(
      Vertx vertx, ShardBus bus, Limits limits, RefusalCounters refusals, @Nullable Scrape scrape) {
    this.vertx = vertx;
    this.limits = limits;
    this.scrape = scrape;
    connections = new Connections(vertx, limits);
    webSockets = new WebSockets(connections);
    pages = new Pages(vertx, limits.options().isCompression());
    reads = new EventReads(vertx, bus, pages, limits.options().getIdleTimeout(), ongoing);
    health = new Health(bus);
    admin = new Admin(bus, pages, refusals);
    deadLetters = new DeadLetterRoutes(bus, pages);
    settings = new Settings(bus, limits);
    history = new History(bus, System::currentTimeMillis, System::nanoTime);
    stopObserving = bus.observe(history);
  }

  /** A connection was opened. */
  void opened(HttpConnection connection) {
    connections.opened(connection);
  }

  int connections() {
    return connections.count();
  }

  /** Closes connections that take too long. Call it about once a second. */
  void sweep() {
    connections.closeSlow();
    webSockets.sweep();
  }

  /** Call it every {@link History#PERIOD_MILLIS}. */
  void sample() {
    history.sample();
  }

  /**
   * Adds the meters of the gateway to the registry that it serves, or to that of the Vert.x.
   *
   * @return removes them
   */
  Runnable count(IngestResources resources, boolean mounted) {
    MeterRegistry registry = scrape == null ? VertxMeters.registry(vertx) : scrape.registry();
    if (registry == null) {
      return () -> {};
    }
    GatewayMeters meters =
        new GatewayMeters(registry, resources, mounted ? null : connections, webSockets, reads);
    return scrape == null ? meters.addBesideOthers() : meters.add(Tags.empty());
  }

  /** Is not ready any more, and lets WebSockets end. */
  void close() {
    health.closing();
    stopObserving.run();
    webSockets.close();
    ongoing.close();
  }

  /** What it answers; empty before it listens. */
  List<Route> routes() {
    return routes;
  }

  /** For one event loop: not all handlers can be shared. */
  Router router(ServerFiles files, IngestResources mine) {
    HttpIngest ingest = new HttpIngest(mine, ongoing);
    SmallBody smallBody = new SmallBody(vertx, limits, ongoing);
    Router router = Router.router(vertx);
    // Not error handlers: a router under another one has none.
    router.route().failureHandler(Endpoints::failed);
    router.route().handler(context -> guard(context, files.origins()));
    router.route().handler(connections::check);
    Routes routes = new Routes(router, new Access(files.tokens(), new Webhooks(limits.options())));
    routes
        .get(INGEST, Role.INGEST)
        .handler(Routes.only("key", "keyPath", "idPath", "ack", "format"))
        .handler(context -> webSockets.open(context, mine));
    routes
        .postSigned("/v1/events", Role.INGEST)
        .handler(Routes.only("key", "keyPath", "idPath", "ack", "array"))
        .handler(ingest::handle);
    routes
        .get("/v1/events", Role.READ)
        .handler(
            Routes.only("cursor", "limit", "order", "since", "until", "key", "shard", "filter"))
        .handler(reads::page);
    routes
        .get(TAIL, Role.READ)
        .handler(Routes.only("cursor", "from", "since", "until", "key", "shard", "filter"))
        .handler(reads::tail);
    routes.get("/v1/stats", Role.READ, Role.ADMIN).handler(Routes.only()).handler(admin::stats);
    routes.get("/v1/cluster", Role.READ, Role.ADMIN).handler(Routes.only()).handler(admin::cluster);
    routes.get("/v1/shards", Role.READ, Role.ADMIN).handler(Routes.only()).handler(admin::shards);
    routes
        .get("/v1/history", Role.READ, Role.ADMIN)
        .handler(Routes.only("shard"))
        .handler(context -> history.send(context, pages));
    smallBody.of(routes.post("/v1/shards", Role.ADMIN).handler(Routes.only())).handler(admin::add);
    routes.delete("/v1/shards/:id", Role.ADMIN).handler(Routes.only("wait")).handler(admin::remove);
    routes
        .get("/v1/dead-letters", Role.READ)
        .handler(Routes.only("after", "limit"))
        .handler(deadLetters::list);
    smallBody.of(routes.delete("/v1/dead-letters", Role.ADMIN)).handler(deadLetters::removeAll);
    smallBody
        .of(routes.post("/v1/dead-letters/replay", Role.ADMIN).handler(Routes.only()))
        .handler(deadLetters::replay);
    routes
        .delete("/v1/dead-letters/:id", Role.ADMIN)
        .handler(Routes.only())
        .handler(deadLetters::remove);
    settings.mount(routes, smallBody);
    routes.open("/health/live").handler(health::live);
    routes.open("/health/ready").handler(health::ready);
    routes.open("/openapi.json").handler(context -> files.api().send(context, pages));
    if (scrape != null) {
      routes.get("/metrics", Role.READ, Role.ADMIN).handler(context -> scrape.send(context, pages));
    }
    new Console(vertx, pages).mount(routes);
    routes.close();
    List<Route> all = router.getRoutes();
    all.stream().filter(Endpoints::endsByItself).forEach(route -> route.method(HttpMethod.HEAD));
    this.routes = all;
    return router;
  }

  /** What a GET answers, a HEAD can ask about. */
  private static boolean endsByItself(Route route) {
    return route.methods() != null
        && route.methods().contains(HttpMethod.GET)
        && !INGEST.equals(route.getPath())
        && !TAIL.equals(route.getPath());
  }

  private static void failed(RoutingContext context) {
    switch (context.statusCode()) {
      case 400 -> // vertx-web itself refuses it
          Problem.send(
              context.response(), 400, hasOneHost(context.request()) ? "bad request" : ONE_HOST);
      case 500 -> {
        LOG.error(context.request().method() + " " + context.request().path(), context.failure());
        Problem.send(context.response(), 500, "internal error");
      }
      default -> {
        HttpResponseStatus status = HttpResponseStatus.valueOf(context.statusCode());
        Problem.send(context.response(), status.code(), status.reasonPhrase());
      }
    }
  }

  private static boolean reads(HttpMethod method) {
    return method.equals(HttpMethod.GET) || method.equals(HttpMethod.HEAD);
  }

  /** However the path was written. */
  private static boolean opensWebSockets(RoutingContext context) {
    String path = Routes.path(context);
    return path.equals(INGEST) || path.equals(INGEST + "/");
  }

  /** As RFC 9112, section 3.2 asks. A request of HTTP/1.0 may have none. */
  private static boolean hasOneHost(HttpServerRequest request) {
    int hosts = request.headers().getAll(HttpHeaders.HOST).size();
    return hosts == 0
        ? request.version() != HttpVersion.HTTP_1_1
        : hosts == 1 && request.authority() != null;
  }

  /** Whether a body comes in a form in which it would be taken for another one. */
  private static boolean isCoded(HttpServerRequest request) {
    String coding = request.getHeader(HttpHeaders.TRANSFER_ENCODING);
    return coding != null
        && !(coding.equalsIgnoreCase("chunked")
            && request.headers().getAll(HttpHeaders.TRANSFER_ENCODING).size() == 1);
  }

  /** Applies to every request. */
  private static void guard(RoutingContext context, Origins origins) {
    HttpServerRequest request = context.request();
    HeadRequests.mark(request);
    SecurityHeaders.put(request);
    if (!hasOneHost(request)) {
      Problem.refuse(request, 400, ONE_HOST);
      return;
    }
    if (isCoded(request)) {
      Problem.refuse(request, 501, "Transfer-Encoding: only chunked is supported");
      return;
    }
    if (origins.misnamed(request)) {
      Problem.refuse(request, 403, Origins.UNKNOWN_NAME);
      return;
    }
    try {
      context.normalizedPath(); // decodes, and fails if it cannot: here once, not in each route
    } catch (IllegalArgumentException e) {
      Problem.refuse(request, 400, "the path has a broken escape such as %zz");
      return;
    }
    try {
      Query.read(request);
    } catch (IllegalArgumentException e) {
      Problem.refuse(request, 400, String.valueOf(e.getMessage()));
      return;
    }
    if (origins.foreign(request) && (!reads(request.method()) || opensWebSockets(context))) {
      Problem.refuse(request, 403, Origins.REFUSAL);
      return;
    }
    origins.handle(context);
  }
}
