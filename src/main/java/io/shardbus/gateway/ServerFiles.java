package io.shardbus.gateway;

import io.shardbus.net.FileWatch;
import io.vertx.core.Vertx;
import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The checked options of the server, and the files that they name. The server reads the files again
 * when they change.
 */
final class ServerFiles {

  private static final Logger LOG = LoggerFactory.getLogger(ServerFiles.class);

  private final TokenStore tokens;
  private final Origins origins;
  private final Tls tls;
  private final FileWatch tokenWatch;
  private final FileWatch tlsWatch;
  private final HttpServerOptions http;
  private final ApiDescription api = new ApiDescription();

  /**
   * Blocks. Throws {@link IllegalArgumentException} if the server must not start.
   *
   * @param mounted whether the server and the access to it are the application's
   */
  ServerFiles(Vertx vertx, GatewayOptions options, boolean mounted) throws UnknownHostException {
    options.validate();
    tls = new Tls(vertx, options.getTls());
    tlsWatch = new FileWatch(tls.files());
    tokenWatch = new FileWatch(TokenStore.files(options));
    tokens = new TokenStore(options);
    http = httpOptions(options);
    tls.apply(http);
    boolean local = !mounted && localAddress(options.getHost()).isLoopbackAddress();
    origins = new Origins(options, !local || !tokens.open());
    if (local || mounted) {
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
      LOG.warn("tokens are sent in clear to " + options.getHost() + ": set tls to encrypt them");
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
        .setHttp2ClearTextEnabled(options.isHttp2ClearText())
        .setMaxInitialLineLength(options.getMaxUriBytes())
        .setMaxHeaderSize(options.getMaxHeaderBytes())
        .setInitialSettings(
            new Http2Settings()
                .setMaxConcurrentStreams(
                    HttpServerOptions.DEFAULT_INITIAL_SETTINGS_MAX_CONCURRENT_STREAMS)
                .setInitialWindowSize(Upload.QUEUED_BYTES))
        .setMaxWebSocketFrameSize(options.getMaxFrameBytes())
        .setMaxWebSocketMessageSize(options.getMaxFrameBytes())
        .setWebSocketSubProtocols(List.of(Gateway.SUBPROTOCOL))
        // A small frame could become an endless message.
        .setPerMessageWebSocketCompressionSupported(false)
        .setPerFrameWebSocketCompressionSupported(false)
        .setDecompressionSupported(false);
  }

  TokenStore tokens() {
    return tokens;
  }

  Origins origins() {
    return origins;
  }

  HttpServerOptions http() {
    return http;
  }

  ApiDescription api() {
    return api;
  }

  /**
   * Reads the files again whenever they change.
   *
   * @param server one of the servers. They share one certificate, as they share the port
   * @return the timers that end it when they are cancelled
   */
  List<Long> watch(Vertx vertx, Supplier<HttpServer> server) {
    return List.of(
        tokenWatch.begin(vertx, tokens::reload),
        tlsWatch.begin(vertx, () -> tls.reload(server.get())));
  }
}
