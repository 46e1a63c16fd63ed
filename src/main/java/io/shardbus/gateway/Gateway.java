package io.shardbus.gateway;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.shardbus.ShardBus;
import io.shardbus.delivery.NoContext;
import io.shardbus.delivery.Owner;
import io.vertx.core.Context;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import java.io.IOException;
import java.net.BindException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The bus on the network: HTTP, WebSocket, server-sent events and the admin API, on a port of its
 * own or under a path of the application. Safe for any thread.
 */
public final class Gateway {

  /** The WebSocket subprotocol. */
  public static final String SUBPROTOCOL = "shardbus.v1";

  private static final Logger LOG = LoggerFactory.getLogger(Gateway.class);
  private static final Duration GRACE = Duration.ofSeconds(5);
  private static final long SWEEP_MILLIS = 1_000; // at most

  /**
   * In Vert.x, servers that listen on the same negative port share a free one. Each gateway needs a
   * number of its own for that, beyond the range of real ports.
   */
  private static final AtomicInteger FREE_PORTS = new AtomicInteger(1 << 16);

  private final Vertx vertx;
  private final GatewayOptions options;
  private final IngestResources resources;
  private final Endpoints endpoints;

  /** Takes its meters out of the registry, or its routes out of the application's router. */
  private volatile Runnable undo = () -> {};

  /** A verticle of the gateway's own for each event loop. */
  private volatile Future<String> deployment = Future.failedFuture("not deployed");

  private volatile Duration grace = GRACE;
  private final AtomicBoolean closing = new AtomicBoolean();
  private final Promise<Void> closed = Promise.promise();
  private @Nullable Future<Void> shutdown;

  /** One of each event loop; all listen on the same port. */
  private final List<HttpServer> servers = new CopyOnWriteArrayList<>();

  private final List<Long> timers = new CopyOnWriteArrayList<>();

  private Gateway(
      Vertx vertx, ShardBus bus, GatewayOptions options, @Nullable Scrape scrape, boolean mounted) {
    this.vertx = vertx;
    this.options = options;
    Limits limits = new Limits(bus.shards(), options, mounted);
    resources = IngestResources.of(vertx, bus, limits);
    endpoints = new Endpoints(vertx, bus, limits, resources.refusals(), scrape);
  }

  /**
   * Starts to listen. If a gateway is started in a verticle, it is closed before that verticle is
   * undeployed, and before a bus that was started in the same verticle. Otherwise it is closed
   * before its Vert.x. This holds for any number of event loops.
   *
   * @param vertx where it runs
   * @param bus what it serves, as {@link ShardBus#start} made it; it is not closed with the gateway
   * @param options how; copied
   * @return the gateway; fails with a message for the operator if it cannot listen, or must not
   * @throws IllegalArgumentException if the bus is a wrapper
   */
  public static Future<Gateway> start(Vertx vertx, ShardBus bus, GatewayOptions options) {
    return new Gateway(vertx, bus, new GatewayOptions(options), null, false).listen();
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
    return new Gateway(vertx, bus, new GatewayOptions(options), new Scrape(vertx, registry), false)
        .listen();
  }

  /**
   * Adds the routes to a router of the application, instead of a server of its own: all but {@code
   * /metrics}. The paths are those of a server, below the path at which the router is mounted. The
   * gateway asks for no tokens: the application's handlers before it decide who may do what. No
   * {@code BodyHandler} may come before it, as it reads bodies itself, in bounded memory.
   *
   * <p>It belongs to the event loop of its requests: if several instances of a verticle serve, each
   * mounts a gateway. The application's server needs {@code
   * setWebSocketSubProtocols(List.of(Gateway.SUBPROTOCOL))} for clients that ask for it. The
   * gateway is closed as one that {@link #start} made. Then its routes leave the router.
   *
   * @param router gets the routes, after the routes that it has already
   * @param bus what it serves, as {@link ShardBus#start} made it; it is not closed with the gateway
   * @param options how; copied. Those of a server do not apply
   * @return the gateway
   * @throws IllegalArgumentException naming an option that does not apply, and is not the default;
   *     or if options contradict each other, or the bus is a wrapper
   * @throws IllegalStateException if the verticle that calls it is being undeployed
   */
  public static Gateway mount(Router router, ShardBus bus, GatewayOptions options) {
    GatewayOptions own = new GatewayOptions(options);
    Mount.check(own);
    own.setCompression(false); // the application's server may compress
    Vertx vertx = IngestResources.holder(bus).vertx();
    return new Gateway(vertx, bus, own, null, true).mountOn(router);
  }

  private Gateway mountOn(Router router) {
    ServerFiles files;
    try {
      files = new ServerFiles(vertx, options, true);
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e); // it looks for none
    }
    Runnable forget = Owner.ofCaller(vertx).ownGateway(this::end);
    closed.future().onComplete(end -> forget.run());
    Router own = endpoints.router(files, resources);
    Runnable unmount = Mount.on(router, own);
    Runnable forgetMeters = endpoints.count(resources, true);
    undo =
        () -> {
          unmount.run();
          forgetMeters.run();
        };
    startTimers();
    return this;
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
    new ServerFiles(vertx, options, false);
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
    NoContext.call(() -> new ServerFiles(vertx, options, false))
        .compose(this::bind)
        .compose(
            listening -> owner.ready().recover(e -> end().transform(end -> Future.failedFuture(e))))
        .onFailure(e -> forget.run())
        .onSuccess(ready -> closed.future().onComplete(end -> forget.run()))
        .<Gateway>map(this)
        .onComplete(started);
    return onCaller(started.future());
  }

  private Future<Gateway> bind(ServerFiles files) {
    return serve(files)
        .map(
            listening -> {
              timers.addAll(files.watch(vertx, () -> servers.get(0)));
              startTimers();
              undo = endpoints.count(resources, false);
              return this;
            })
        .recover(e -> Future.failedFuture(explained(e)));
  }

  private Future<?> serve(ServerFiles files) {
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
  private Future<?> listen(ServerFiles files, int port, IngestResources mine) {
    return vertx
        .createHttpServer(files.http())
        .requestHandler(endpoints.router(files, mine))
        .invalidRequestHandler(new InvalidRequests(options)::refuse)
        .connectionHandler(endpoints::opened)
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

  /** Sweeps often enough to ping a silent client before it is closed as idle. */
  private void startTimers() {
    long millis = Math.min(SWEEP_MILLIS, options.getIdleTimeout().toMillis() / 4);
    timers.add(vertx.setPeriodic(millis, id -> sweep()));
    timers.add(vertx.setPeriodic(History.PERIOD_MILLIS, id -> endpoints.sample()));
  }

  private void sweep() {
    endpoints.sweep();
    resources.rates().forgetIdle();
  }

  /**
   * @return the port it listens on; the one that was chosen, if 0 was asked for; -1 if it is
   *     mounted
   */
  public int port() {
    return servers.isEmpty() ? -1 : servers.get(0).actualPort();
  }

  /** {@return how many connections are open, of any kind; 0 if it is mounted} */
  public int connections() {
    return endpoints.connections();
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

  /** For tests that must not end because the grace does. */
  Future<Void> close(Duration otherGrace) {
    grace = otherGrace;
    return close();
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
      undo.run();
      endpoints.close();
      timers.forEach(vertx::cancelTimer);
      shutdown =
          Future.join(
                  servers.stream()
                      .map(server -> server.shutdown(grace.toMillis(), TimeUnit.MILLISECONDS))
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
    return endpoints.routes();
  }
}
