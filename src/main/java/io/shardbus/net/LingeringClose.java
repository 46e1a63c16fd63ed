package io.shardbus.net;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;

/**
 * The end of a connection (with HTTP/2, of a stream) whose request was answered before its body was
 * read.
 *
 * <p>To close at once would reset the connection, and the client could lose the answer; to read all
 * of the body could take for ever. So the server reads and drops a little, for a moment in which
 * the client can see the answer. Then it closes. A client that reads only after it has written its
 * whole body finds that it cannot write, and then reads the answer.
 */
public final class LingeringClose {

  private static final long MILLIS = 1_000;
  private static final int MAX_BYTES = 256 << 10;
  private static final long NO_ERROR = 0; // of RFC 9113

  private final HttpServerRequest request;
  private int read;

  private LingeringClose(HttpServerRequest request) {
    this.request = request;
  }

  /**
   * Ends the connection, of HTTP/2 the stream, of a request once its client can have seen the
   * answer.
   *
   * @param request a request that is answered without its body
   */
  public static void after(HttpServerRequest request) {
    if (request.version() == HttpVersion.HTTP_2) {
      if (!request.isEnded()) {
        new LingeringClose(request).begin(() -> request.response().reset(NO_ERROR), () -> {});
      }
    } else if (request.isEnded()) {
      request.response().endHandler(sent -> request.connection().close());
    } else {
      Runnable close = () -> request.connection().close();
      new LingeringClose(request).begin(close, close);
    }
  }

  private void begin(Runnable inTime, Runnable atEnd) {
    request.handler(chunk -> discard(chunk.length()));
    request.resume();
    Vertx vertx = Vertx.currentContext().owner();
    long timer = vertx.setTimer(MILLIS, id -> inTime.run());
    request.endHandler(
        end -> {
          vertx.cancelTimer(timer);
          atEnd.run();
        });
  }

  private void discard(int bytes) {
    read += bytes;
    if (read > MAX_BYTES) {
      request.pause();
    }
  }
}
