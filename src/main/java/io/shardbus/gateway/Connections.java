package io.shardbus.gateway;

import io.netty.util.NetUtil;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.SocketAddress;
import io.vertx.ext.web.RoutingContext;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The open connections, and how many there may be. One too many is told so when it asks for
 * something, and closed soon if it does not. One that takes longer than the idle timeout to say
 * what it wants is closed, even if now and then a byte comes.
 */
final class Connections {

  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final Limits limits;
  private final Map<HttpConnection, State> open = new ConcurrentHashMap<>();
  private final Map<String, Integer> perClient = new ConcurrentHashMap<>();

  private static final class State {

    final @Nullable String refusal;
    final AtomicInteger requests = new AtomicInteger();
    volatile boolean upgraded;
    volatile long quietSince = System.nanoTime();

    State(@Nullable String refusal) {
      this.refusal = refusal;
    }
  }

  Connections(Limits limits) {
    this.limits = limits;
  }

  /**
   * The address that stands for a client; of IPv6, the network of 64 bits, as whoever has one has
   * all of its addresses.
   */
  static String client(@Nullable SocketAddress address) {
    String host = address == null ? "" : String.valueOf(address.hostAddress());
    if (host.indexOf(':') < 0) {
      return host;
    }
    byte[] bytes = NetUtil.createByteArrayFromIpAddressString(host);
    return bytes == null || bytes.length != 16
        ? host
        : HexFormat.of().formatHex(bytes, 0, 8) + "::/64";
  }

  void opened(HttpConnection connection) {
    String client = client(connection.remoteAddress());
    int mine = perClient.merge(client, 1, Integer::sum);
    open.put(connection, new State(refusal(open.size() + 1, mine)));
    connection.closeHandler(gone -> closed(connection));
  }

  /** Also to be called for WebSockets, which Vert.x takes from their connection. */
  void closed(HttpConnection connection) {
    if (open.remove(connection) != null) {
      perClient.computeIfPresent(
          client(connection.remoteAddress()), (name, n) -> n == 1 ? null : n - 1);
    }
  }

  private @Nullable String refusal(int all, int mine) {
    GatewayOptions options = limits.options();
    if (all > options.getMaxConnections()) {
      return "gateway.maxConnections: " + options.getMaxConnections() + " connections are open";
    }
    int most = options.getMaxConnectionsPerClient();
    return most > 0 && mine > most
        ? "gateway.maxConnectionsPerClient: " + most + " connections of this address are open"
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
      Problem.refuse(request, 503, state.refusal);
    }
  }

  /** From now on the connection is a WebSocket, for which only silence is a reason to close. */
  void upgraded(HttpConnection connection) {
    State state = open.get(connection);
    if (state != null) {
      state.upgraded = true;
    }
  }

  /** Closes what takes too long; to be called every second or so. */
  void closeSlow() {
    long now = System.nanoTime();
    long timeout = limits.options().getIdleTimeout().toNanos();
    open.forEach(
        (connection, state) -> {
          long quiet = now - state.quietSince;
          if (!state.upgraded
              && state.requests.get() == 0
              && quiet > (state.refusal == null ? timeout : PATIENCE_NANOS)) {
            connection.close();
          }
        });
  }

  int count() {
    return open.size();
  }
}
