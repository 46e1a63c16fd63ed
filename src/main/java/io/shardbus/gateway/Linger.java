package io.shardbus.gateway;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;

/*
 * The end of a connection whose request was answered before its body was read.
 *
 * To close at once would reset the connection, and the client could lose the answer; to read all of the body could take
 * for ever. So a little is read and thrown away, for a moment in which the client can see the answer; then it is closed.
 * A client that looks for answers only when it has written all of its body finds that it cannot write, and then the
 * answer.
 */
final class Linger {

  private static final long MILLIS = 1_000;
  private static final int MAX_BYTES = 256 << 10;

  private final Valve valve;
  private int read;

  private Linger(HttpServerRequest request) {
    valve = new Valve(request.connection());
  }

  static void over(HttpServerRequest request) {
    if (request.isEnded()) {
      request.response().endHandler(sent -> request.connection().close());
      return;
    }
    Linger linger = new Linger(request);
    request.handler(chunk -> linger.discard(chunk.length()));
    request.resume();
    Vertx vertx = Vertx.currentContext().owner();
    long timer = vertx.setTimer(MILLIS, id -> request.connection().close());
    request.endHandler(
        end -> {
          vertx.cancelTimer(timer);
          request.connection().close();
        });
  }

  private void discard(int bytes) {
    read += bytes;
    if (read > MAX_BYTES) {
      valve.shut();
    }
  }
}
