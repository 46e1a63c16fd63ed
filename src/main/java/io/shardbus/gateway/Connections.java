package io.shardbus.gateway;

import io.shardbus.options.Counted;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.SocketAddress;
import io.vertx.ext.web.RoutingContext;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/*
 * Ownership: `opened`, `check`, `upgraded` and `closed` run on the event loop of their connection. The sweep runs on
 * any event loop, and only reads.
 *
 * Ordering: `count` and the count of the client grow before the connection is in the map. So each connection sees its
 * own place in both counts, and of two that come at once, at most one gets the last place. `quietSince` is written
 * before `requests` falls, so a sweep that sees no request sees since when.
 *
 * Why it is safe: a connection leaves the counts once, because only one caller gets it out of the map. The sweep's
 * verdict may be old when it is there, so the event loop of the connection decides again: no request comes in between.
 */
/**
 * The open connections, and their limit. A connection beyond the limit gets a refusal when it sends
 * a request, and is closed soon if it does not. If a connection takes longer than the idle timeout
 * to send a request, it is closed, even if a byte comes now and then. Safe for any thread.
 */
final class Connections {

  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final Vertx vertx;
  private final Limits limits;
  private final Proxies proxies;
  private final Map<HttpConnection, State> open = new ConcurrentHashMap<>();

  /**
   * The number of open connections. It must grow in one step, so that it is clear which connection
   * is beyond the limit.
   */
  private final AtomicInteger count = new AtomicInteger();

  private final Map<String, Integer> perClient = new ConcurrentHashMap<>();

  private static final class State {

    final @Nullable String refusal;
    final Context context;
    final AtomicInteger requests = new AtomicInteger();
    volatile boolean upgraded;
    volatile long quietSince = System.nanoTime();

    State(@Nullable String refusal, Context context) {
      this.refusal = refusal;
      this.context = context;
    }

    /** Whether nothing was asked for too long. */
    boolean slow(long timeoutNanos) {
      return !upgraded
          && requests.get() == 0
          && System.nanoTime() - quietSince > (refusal == null ? timeoutNanos : PATIENCE_NANOS);
    }
  }

  Connections(Vertx vertx, Limits limits) {
    this.vertx = vertx;
    proxies = new Proxies(limits.options().getTrustedProxies());
    this.limits = limits;
  }

  /** The address that stands for a peer, as {@link Proxies#network} has it. */
  static String client(@Nullable SocketAddress address) {
    return Proxies.network(address == null ? null : address.hostAddress());
  }

  void opened(HttpConnection connection) {
    String client = client(connection.remoteAddress());
    int mine = perClient.merge(client, 1, Integer::sum);
    // A proxy has the connections of many clients.
    boolean many = proxies.trusts(connection.remoteAddress());
    String refusal = refusal(count.incrementAndGet(), many ? 0 : mine);
    open.put(connection, new State(refusal, vertx.getOrCreateContext()));
    connection.closeHandler(gone -> closed(connection));
  }

  /** Also to be called for WebSockets, which Vert.x takes from their connection. */
  void closed(HttpConnection connection) {
    if (open.remove(connection) != null) {
      count.decrementAndGet();
      perClient.computeIfPresent(
          client(connection.remoteAddress()), (name, n) -> n == 1 ? null : n - 1);
    }
  }

  private @Nullable String refusal(int all, int mine) {
    GatewayOptions options = limits.options();
    if (all > options.getMaxConnections()) {
      return "gateway.maxConnections: "
          + Counted.of(options.getMaxConnections(), "connection")
          + " at most";
    }
    int most = options.getMaxConnectionsPerClient();
    return most > 0 && mine > most
        ? "gateway.maxConnectionsPerClient: "
            + Counted.of(most, "connection")
            + " of this address at most"
        : null;
  }

  /** First for every request. */
  void check(RoutingContext context) {
    HttpServerRequest request = context.request();
    State state = open.get(request.connection());
    if (state == null) {
      context.next();
      return;
    }
    state.requests.incrementAndGet();
    context.addEndHandler(
        ended -> {
          state.quietSince = System.nanoTime();
          state.requests.decrementAndGet();
        });
    if (state.refusal == null) {
      context.next();
    } else {
      Problem.refuse(request, 503, state.refusal, Problem.reason("connections"));
    }
  }

  /** From now on the connection is a WebSocket, for which only silence is a reason to close. */
  void upgraded(HttpConnection connection) {
    State state = open.get(connection);
    if (state != null) {
      state.upgraded = true;
    }
  }

  /** Closes connections that take too long. Call it about once a second. */
  void closeSlow() {
    long timeout = limits.options().getIdleTimeout().toNanos();
    open.forEach(
        (connection, state) -> {
          if (state.slow(timeout)) {
            // On its own event loop, where no request can come in between.
            state.context.runOnContext(
                now -> {
                  if (state.slow(timeout)) {
                    connection.close();
                  }
                });
          }
        });
  }

  int count() {
    return count.get();
  }
}
