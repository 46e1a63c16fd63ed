package io.shardbus.gateway;

import io.shardbus.event.Ack;
import io.shardbus.event.InvalidEventException;
import io.shardbus.net.ReadControl;
import io.vertx.core.Context;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;

/** {@code GET /v1/ingest}: opens WebSockets, and closes those that are left at the end. */
final class WebSockets {

  /** The one of RFC 6455. */
  private static final String VERSION = "13";

  private final Connections connections;
  private final Map<ServerWebSocket, OpenSocket> sockets = new ConcurrentHashMap<>();
  private volatile boolean closing;

  private record OpenSocket(WebSocketIngest ingest, Context context, BooleanSupplier allowed) {}

  WebSockets(Connections connections) {
    this.connections = connections;
  }

  /**
   * @param resources of the event loop that serves the connection
   */
  void open(RoutingContext context, IngestResources resources) {
    HttpServerRequest request = context.request();
    if (!"websocket".equalsIgnoreCase(request.getHeader(HttpHeaders.UPGRADE))
        || !VERSION.equals(request.getHeader("Sec-WebSocket-Version"))) {
      request.response().putHeader("Sec-WebSocket-Version", VERSION);
      if (request.version() != HttpVersion.HTTP_2) { // which forbids it
        request
            .response()
            .putHeader(HttpHeaders.UPGRADE, "websocket")
            .putHeader(HttpHeaders.CONNECTION, HttpHeaders.UPGRADE);
      }
      Problem.send(
          request.response(), 426, "only WebSockets of version " + VERSION + " are supported here");
      return;
    }
    if (!request.headers().contains(HttpHeaders.CONNECTION, HttpHeaders.UPGRADE, true)
        || request.getHeader("Sec-WebSocket-Key") == null) {
      Problem.send(
          request.response(),
          400,
          "a WebSocket needs the headers Connection: Upgrade and Sec-WebSocket-Key");
      return;
    }
    if (closing) {
      Problem.send(request.response(), 503, "the server is stopping");
      return;
    }
    // Vert.x looks at one line only.
    List<String> protocols = request.headers().getAll("Sec-WebSocket-Protocol");
    if (protocols.size() > 1) {
      request.headers().set("Sec-WebSocket-Protocol", String.join(", ", protocols));
    }
    IngestRequest asked;
    try {
      asked =
          IngestRequest.of(
              request.params(),
              request.headers(),
              BodyFormat.ofMessages(request.getParam("format")),
              Ack.NONE,
              resources.options().getMaxKeyBytes(),
              resources.bus().shards().limits().json(),
              resources.kept());
    } catch (IllegalArgumentException | InvalidEventException e) {
      Problem.send(request.response(), 400, String.valueOf(e.getMessage()));
      return;
    }
    ReadControl.refuseExtensions(request.connection());
    request
        .toWebSocket()
        .onSuccess(
            socket -> {
              connections.upgraded(request.connection());
              begin(request, socket, resources, asked, Access.grant(context));
            })
        .onFailure(
            e -> Problem.send(request.response(), 400, "the WebSocket handshake is not complete"));
  }

  private void begin(
      HttpServerRequest request,
      ServerWebSocket socket,
      IngestResources resources,
      IngestRequest asked,
      BooleanSupplier allowed) {
    WebSocketIngest ingest =
        new WebSocketIngest(
            resources,
            socket,
            new ReadControl(request.connection()),
            asked,
            resources.rates().of(resources.proxies().client(request)),
            () -> {
              sockets.remove(socket);
              connections.closed(request.connection());
            });
    OpenSocket open = new OpenSocket(ingest, resources.vertx().getOrCreateContext(), allowed);
    sockets.put(socket, open);
    ingest.begin();
    if (closing) {
      finish(open);
    }
  }

  int count() {
    return sockets.size();
  }

  /** Handles clients that are silent or no longer allowed. Call it about once a second. */
  void sweep() {
    sockets.forEach(
        (socket, open) -> {
          if (!open.allowed().getAsBoolean()) {
            open.context()
                .runOnContext(
                    now ->
                        open.ingest()
                            .life()
                            .close(
                                WebSocketIngest.POLICY_VIOLATION,
                                "the token is no longer valid for this"));
          } else if (open.ingest().life().needsLook()) {
            open.context().runOnContext(now -> open.ingest().life().look());
          }
        });
  }

  void close() {
    closing = true;
    sockets.values().forEach(WebSockets::finish);
  }

  private static void finish(OpenSocket open) {
    open.context().runOnContext(now -> open.ingest().finish());
  }
}
