package io.shardbus.gateway;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.shardbus.ShardBus;
import io.shardbus.delivery.NoContext;
import io.shardbus.delivery.Owner;
import io.shardbus.net.FileWatch;
import io.shardbus.net.SecurityHeaders;
import io.vertx.core.Context;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The bus on the network: HTTP, WebSocket, server-sent events and the admin API on one port. Safe
 * for any thread.
 */
public final class Gateway {

  /** The WebSocket subprotocol. */
  public static final String SUBPROTOCOL = "shardbus.v1";

  private static final Logger LOG = LoggerFactory.getLogger(Gateway.class);
  private static final String INGEST = "/v1/ingest";
  private static final String TAIL = "/v1/tail";
  private static final Duration GRACE = Duration.ofSeconds(5);
  private static final long SMALL_BODY = 64 << 10;
  private static final long SWEEP_MILLIS = 1_000; // at most

  /**
   * In Vert.x, servers that listen on the same negative port share a free one. Each gateway needs a
   * number of its own for that, beyond the range of real ports.
   */
  private static final AtomicInteger FREE_PORTS = new AtomicInteger(1 << 16);

  private final Vertx vertx;
  private final ShardBus bus;
  private final GatewayOptions options;
  private final Limits limits;
  private final Connections connections;
  private final IngestResources resources;
  private final Settings settings;
  private final WebSockets webSockets;
  private final @Nullable Scrape scrape;
  private volatile Runnable stopCounting = () -> {};

  /** A verticle of the gateway's own for each event loop. */
  private volatile Future<String> deployment = Future.failedFuture("not deployed");

  private final AtomicBoolean closing = new AtomicBoolean();
  private final Promise<Void> closed = Promise.promise();
  private @Nullable Future<Void> shutdown;

  /** One of each event loop; all listen on the same port. */
  private final List<HttpServer> servers = new CopyOnWriteArrayList<>();

  private final List<Long> timers = new CopyOnWriteArrayList<>();
  private final Health health;
  private final EventReads reads;
  private final DeadLetterRoutes deadLetters;
  private volatile List<Route> routes = List.of();

  private Gateway(Vertx vertx, ShardBus bus, GatewayOptions options, @Nullable Scrape scrape) {
    this.scrape = scrape;
    this.vertx = vertx;
    this.bus = bus;
    this.options = options;
    health = new Health(bus);
    limits = new Limits(bus.shards(), options);
    connections = new Connections(vertx, limits);
    resources = IngestResources.of(vertx, bus, limits);
    settings = new Settings(bus, limits);
    webSockets = new WebSockets(connections);
    Pages pages = new Pages();
    reads = new EventReads(vertx, bus, pages, options.getIdleTimeout());
    deadLetters = new DeadLetterRoutes(bus, pages);
  }

  /**
   * Starts to listen. If a gateway is started in a verticle, it is closed before that verticle is
   * undeployed, and before a bus that was started in the same verticle. Otherwise it is closed
   * before its Vert.x.
   *
   * @param vertx where it runs
   * @param bus what it serves; it is not closed with the gateway
   * @param options how; copied
   * @return the gateway; fails with a message for the operator if it cannot listen, or must not
   */
  public static Future<Gateway> start(Vertx vertx, ShardBus bus, GatewayOptions options) {
    return new Gateway(vertx, bus, new GatewayOptions(options), null).listen();
  }

  /**
   * Starts to listen, and serves the meters of a registry at {@code /metrics}.
   *
   * @param vertx where it runs
   * @param bus what it serves; it is not closed with the gateway
   * @param options how; copied
   * @param registry served at {@code /metrics}; the gateway adds its own meters to it
   * @return the gateway; fails as {@link #start(Vertx, ShardBus, GatewayOptions)} does
   */
  public static Future<Gateway> start(
      Vertx vertx, ShardBus bus, GatewayOptions options, PrometheusMeterRegistry registry) {
    return new Gateway(vertx, bus, new GatewayOptions(options), new Scrape(vertx, registry))
        .listen();
  }

  /**
   * Checks the options as a start does: against each other, with the files that they name, and
   * whether the server could be reached from other machines without tokens. Starts nothing. Blocks.
   *
   * @param vertx whose TLS engine tries the certificates
   * @param options the options
   * @throws IllegalArgumentException if a gateway with these options would not start
   * @throws UnknownHostException if there is no such host
   */
  public static void check(Vertx vertx, GatewayOptions options) throws UnknownHostException {
    new Files(vertx, options);
  }

  private Future<Gateway> listen() {
    Promise<Gateway> started = Promise.promise();
    Owner owner = Owner.ofCaller(vertx);
    Runnable forget;
    try {
      forget =
          owner.ownGateway(
              () ->
                  started
                      .future()
                      .transform(end -> end.succeeded() ? end() : Future.succeededFuture()));
    } catch (IllegalStateException e) {
      return Future.failedFuture(e);
    }
    NoContext.call(() -> new Files(vertx, options))
        .compose(this::bind)
        .compose(
            listening -> owner.ready().recover(e -> end().transform(end -> Future.failedFuture(e))))
        .onFailure(e -> forget.run())
        .onSuccess(ready -> closed.future().onComplete(end -> forget.run()))
        .<Gateway>map(this)
        .onComplete(started);
    return onCaller(started.future());
  }

  /** The files that the server reads, and reads again when they change. */
  private static final class Files {

    final TokenStore tokens;
    final Origins origins;
    final Tls tls;
    final FileWatch tokenWatch;
    final FileWatch tlsWatch;
    final HttpServerOptions http;
    final ApiDescription api = new ApiDescription();

    /** Blocks. Throws {@link IllegalArgumentException} if the server must not start. */
    Files(Vertx vertx, GatewayOptions options) throws UnknownHostException {
      options.validate();
      tls = new Tls(vertx, options.getTls());
      tlsWatch = new FileWatch(tls.files());
      tokenWatch = new FileWatch(TokenStore.files(options));
      tokens = new TokenStore(options);
      http = httpOptions(options);
      tls.apply(http);
      boolean local = localAddress(options.getHost()).isLoopbackAddress();
      origins = new Origins(options, !local || !tokens.open());
      if (local) {
        return;
      }
      if (tokens.open() && !options.isInsecure()) {
        throw new IllegalArgumentException(
            "host: "
                + options.getHost()
                + " can be reached from other machines without a token:"
                + " set tokensFile or token, or set insecure to allow that");
      }
      if (!tokens.open() && !tls.on()) {
        LOG.warn("tokens are sent in clear to {}: set tls to encrypt them", options.getHost());
      }
    }
  }

  /** An address of this machine. The check listens on it. */
  private static InetAddress localAddress(String host) throws UnknownHostException {
    InetAddress address;
    try {
      address = InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw new UnknownHostException("host: \"" + host + "\" is unknown");
    }
    try (ServerSocket any = new ServerSocket(0, 1, address)) {
      return any.getInetAddress();
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "host: " + host + " must be an address of this machine: " + e.getMessage(), e);
    }
  }

  private static HttpServerOptions httpOptions(GatewayOptions options) {
    return new HttpServerOptions()
        .setIdleTimeout((int) options.getIdleTimeout().toMillis())
        .setIdleTimeoutUnit(TimeUnit.MILLISECONDS)
        // Else a connection is not counted before its first byte.
        .setHttp2ClearTextEnabled(false)
        .setMaxInitialLineLength(options.getMaxUriBytes())
        .setMaxHeaderSize(options.getMaxHeaderBytes())
        .setInitialSettings(
            new Http2Settings()
                .setMaxConcurrentStreams(
                    HttpServerOptions.DEFAULT_INITIAL_SETTINGS_MAX_CONCURRENT_STREAMS)
                .setInitialWindowSize(Upload.QUEUED_BYTES))
        .setMaxWebSocketFrameSize(options.getMaxFrameBytes())
        .setMaxWebSocketMessageSize(options.getMaxFrameBytes())
        .setWebSocketSubProtocols(List.of(SUBPROTOCOL))
        // A small frame could become an endless message.
        .setPerMessageWebSocketCompressionSupported(false)
        .setPerFrameWebSocketCompressionSupported(false)
        .setDecompressionSupported(false);
  }

  private Future<Gateway> bind(Files files) {
    return serve(files)
        .map(
            listening -> {
              timers.add(files.tokenWatch.begin(vertx, files.tokens::reload));
              // They share one certificate, as they share the port.
              timers.add(files.tlsWatch.begin(vertx, () -> files.tls.reload(servers.get(0))));
              // Often enough to ping a silent client before it is closed as idle.
              long sweepMillis = Math.min(SWEEP_MILLIS, options.getIdleTimeout().toMillis() / 4);
              timers.add(vertx.setPeriodic(sweepMillis, id -> sweep()));
              if (scrape != null) {
                stopCounting = scrape.count(resources, connections, webSockets, reads);
              }
              return this;
            })
        .recover(e -> Future.failedFuture(explained(e)));
  }

  private Future<?> serve(Files files) {
    int loops = options.getEventLoops();
    int port =
        options.getPort() == 0 && loops > 1 ? -FREE_PORTS.incrementAndGet() : options.getPort();
    deployment =
        // As children of a verticle they would end before the gateway can be closed with grace.
        NoContext.deploy(
            vertx,
            () ->
                new EventLoop(
                    () -> listen(files, port, loops == 1 ? resources : resources.ofLoop(loops))),
            new DeploymentOptions().setInstances(loops));
    return deployment;
  }

  /** Serves connections. Several verticles run on different event loops, if Vert.x has enough. */
  private final class EventLoop extends VerticleBase {

    private final Supplier<Future<?>> begin;

    EventLoop(Supplier<Future<?>> begin) {
      this.begin = begin;
    }

    @Override
    public Future<?> start() {
      return begin.get();
    }

    /** To undeploy one of them closes the gateway. */
    @Override
    public Future<?> stop() {
      return shutdown().otherwiseEmpty().onComplete(done -> end());
    }
  }

  /** Makes the calling event loop serve connections. */
  private Future<?> listen(Files files, int port, IngestResources mine) {
    return vertx
        .createHttpServer(files.http)
        .requestHandler(router(files, mine))
        .invalidRequestHandler(new InvalidRequests(options)::refuse)
        .connectionHandler(connections::opened)
        .exceptionHandler(e -> LOG.debug("connection", e))
        .listen(port, options.getHost())
        .onSuccess(servers::add);
  }

  private Throwable explained(Throwable failure) {
    String where = options.getHost() + ":" + options.getPort();
    if (failure instanceof BindException) {
      return new IOException(
          "port: cannot listen on " + where + ": " + failure.getMessage(), failure);
    }
    return failure;
  }

  private void sweep() {
    connections.closeSlow();
    webSockets.sweep();
    resources.rates().forgetIdle();
  }

  /**
   * The port it listens on.
   *
   * @return the port; the one that was chosen, if 0 was asked for
   */
  public int port() {
    return servers.isEmpty() ? -1 : servers.get(0).actualPort();
  }

  /**
   * How many connections are open.
   *
   * @return connections, of any kind
   */
  public int connections() {
    return connections.count();
  }

  /** The memory of bodies and messages that are incomplete or wait for room. */
  long partialBytes() {
    return resources.budget().used();
  }

  /**
   * Stops listening. Requests under way get five seconds to end. In that time WebSockets are closed
   * with 1001, once their clients know the fate of their events.
   *
   * @return completes when nothing is left
   */
  public Future<Void> close() {
    return onCaller(end());
  }

  private Future<Void> end() {
    // The verticles last: undeploying them would close the servers at once.
    if (closing.compareAndSet(false, true)) {
      shutdown()
          .eventually(() -> deployment.compose(vertx::undeploy).otherwiseEmpty())
          .onComplete(closed);
    }
    return closed.future();
  }

  private synchronized Future<Void> shutdown() {
    if (shutdown == null) {
      health.closing();
      stopCounting.run();
      webSockets.close();
      timers.forEach(vertx::cancelTimer);
      shutdown =
          Future.join(
                  servers.stream()
                      .map(server -> server.shutdown(GRACE.toMillis(), TimeUnit.MILLISECONDS))
                      .toList())
              .mapEmpty();
    }
    return shutdown;
  }

  private <T> Future<T> onCaller(Future<T> answer) {
    Context caller = vertx.getOrCreateContext();
    Promise<T> promise = Promise.promise();
    answer.onComplete(end -> caller.runOnContext(now -> promise.handle(end)));
    return promise.future();
  }

  /** What it answers; empty before it listens. */
  List<Route> routes() {
    return routes;
  }

  /** For one event loop: not all handlers of Vert.x can be shared. */
  private Router router(Files files, IngestResources mine) {
    HttpIngest ingest = new HttpIngest(mine);
    Admin admin = new Admin(bus);
    BodyHandler smallBody = BodyHandler.create(false).setBodyLimit(SMALL_BODY);
    Router router = Router.router(vertx);
    router.route().handler(context -> guard(context, files.origins));
    router.route().handler(connections::check);
    Routes routes = new Routes(router, new Access(files.tokens));
    routes.get(INGEST, Role.INGEST).handler(context -> webSockets.open(context, mine));
    routes.post("/v1/events", Role.INGEST).handler(ingest::handle);
    routes.get("/v1/events", Role.READ).handler(context -> reads.page(context.request()));
    routes.get(TAIL, Role.READ).handler(reads::tail);
    routes.get("/v1/stats", Role.READ, Role.ADMIN).handler(admin::stats);
    routes.get("/v1/shards", Role.READ, Role.ADMIN).handler(admin::shards);
    routes.post("/v1/shards", Role.ADMIN).handler(smallBody).handler(admin::add);
    routes.delete("/v1/shards/:id", Role.ADMIN).handler(admin::remove);
    routes.get("/v1/dead-letters", Role.READ).handler(deadLetters::list);
    routes.delete("/v1/dead-letters", Role.ADMIN).handler(deadLetters::removeAll);
    routes
        .post("/v1/dead-letters/replay", Role.ADMIN)
        .handler(smallBody)
        .handler(deadLetters::replay);
    routes.delete("/v1/dead-letters/:id", Role.ADMIN).handler(deadLetters::remove);
    settings.mount(routes, smallBody);
    routes.open("/health/live").handler(health::live);
    routes.open("/health/ready").handler(health::ready);
    routes.open("/openapi.json").handler(files.api::send);
    if (scrape != null) {
      routes.get("/metrics", Role.READ, Role.ADMIN).handler(scrape);
    }
    Console.mount(routes);
    routes.close();
    router.errorHandler(
        413,
        context ->
            Problem.refuse(
                context.request(), 413, "the body is larger than " + SMALL_BODY + " bytes"));
    router.errorHandler(400, context -> Problem.send(context.response(), 400, "bad request"));
    router.errorHandler(500, this::failed);
    List<Route> all = router.getRoutes();
    all.stream().filter(Gateway::endsByItself).forEach(route -> route.method(HttpMethod.HEAD));
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

  private void failed(RoutingContext context) {
    LOG.error("{} {}", context.request().method(), context.request().path(), context.failure());
    Problem.send(context.response(), 500, "internal error");
  }

  static boolean reads(HttpMethod method) {
    return method.equals(HttpMethod.GET) || method.equals(HttpMethod.HEAD);
  }

  /** However the path was written. */
  private static boolean opensWebSockets(RoutingContext context) {
    String path = context.normalizedPath();
    return path.equals(INGEST) || path.equals(INGEST + "/");
  }

  /** Applies to every request. */
  private static void guard(RoutingContext context, Origins origins) {
    SecurityHeaders.put(context.request());
    if (origins.misnamed(context.request())) {
      Problem.refuse(context.request(), 403, Origins.UNKNOWN_NAME);
      return;
    }
    try {
      // Both decode, and fail if they cannot: here once, not in each route.
      context.normalizedPath();
      context.request().params();
    } catch (IllegalArgumentException e) {
      Problem.send(context.response(), 400, "the path or query has a broken escape such as %zz");
      return;
    }
    HttpServerRequest request = context.request();
    if (origins.foreign(request) && (!reads(request.method()) || opensWebSockets(context))) {
      Problem.refuse(request, 403, Origins.REFUSAL);
      return;
    }
    origins.handle(context);
  }
}
