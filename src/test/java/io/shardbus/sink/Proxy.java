package io.shardbus.sink;

import io.vertx.core.Vertx;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetSocket;
import java.util.concurrent.TimeUnit;

/**
 * Between clients and a server: can lead to another server, and keep back what a server answers.
 */
final class Proxy implements AutoCloseable {

  private final NetServer server;
  private final NetClient toServer; // kept: one that is out of reach closes its connections
  private volatile int target;
  private volatile boolean keepingBack;

  Proxy(Vertx vertx) throws Exception {
    toServer = vertx.createNetClient();
    server =
        vertx
            .createNetServer()
            .connectHandler(this::connected)
            .listen(0, "127.0.0.1")
            .toCompletionStage()
            .toCompletableFuture()
            .get(60, TimeUnit.SECONDS);
  }

  int port() {
    return server.actualPort();
  }

  /** Of new connections; those that are open stay where they are. */
  void forwardTo(int port) {
    target = port;
  }

  void keepBack(boolean on) {
    keepingBack = on;
  }

  private void connected(NetSocket client) {
    client.pause();
    toServer
        .connect(target, "127.0.0.1")
        .onFailure(e -> client.close())
        .onSuccess(
            backend -> {
              client.handler(backend::write);
              backend.handler(
                  answer -> {
                    if (!keepingBack) {
                      client.write(answer);
                    } else {
                      client.close();
                    }
                  });
              client.closeHandler(gone -> backend.close());
              backend.closeHandler(gone -> client.close());
              client.resume();
            });
  }

  @Override
  public void close() {
    server.close();
    toServer.close();
  }
}
