package io.shardbus.sink.redis;

import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.net.NetClientOptions;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.net.URI;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/*
 * The server as the sink sees it: every command is answered, or fails with a SinkException, within the timeout.
 */
final class RedisServer {

  /** What the writing script begins the error with that no retry mends. */
  static final String FENCED = "FENCED";

  private static final int DEFAULT_PORT = 6379;

  /** The bus bounds how much waits; the pool need not. */
  private static final int MAX_WAITING = 1 << 20;

  private final Redis client;
  private final long timeoutMillis;
  private final String address;

  RedisServer(Vertx vertx, RedisSinkOptions options) {
    URI uri = URI.create(options.getConnectionString());
    address = uri.getHost() + ":" + (uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort());
    timeoutMillis = options.getTimeout().toMillis();
    NetClientOptions net =
        new NetClientOptions()
            .setConnectTimeout((int) Math.min(timeoutMillis, Integer.MAX_VALUE))
            .setHostnameVerificationAlgorithm("HTTPS")
            // A connection whose server went silent must not keep its place in the pool.
            .setIdleTimeout((int) Math.min(timeoutMillis, Integer.MAX_VALUE))
            .setIdleTimeoutUnit(TimeUnit.MILLISECONDS);
    client =
        Redis.createClient(
            vertx,
            new RedisOptions()
                .setConnectionString(options.getConnectionString())
                .setPassword(options.getPassword())
                .setMaxPoolSize(options.getConnections())
                .setMaxPoolWaiting(MAX_WAITING)
                .setNetClientOptions(net));
  }

  Future<Response> send(Request request) {
    return bounded(over(connection -> connection.send(request)));
  }

  Future<List<Response>> batch(List<Request> requests) {
    return requests.isEmpty()
        ? Future.succeededFuture(List.of())
        : bounded(over(connection -> connection.batch(requests)));
  }

  private <T> Future<T> over(Function<RedisConnection, Future<T>> exchange) {
    return client
        .connect()
        .compose(
            connection -> {
              // Whoever waits is told of a loss; the client would log it as an error besides.
              connection.exceptionHandler(loss -> {});
              return exchange.apply(connection).eventually(connection::close);
            });
  }

  private <T> Future<T> bounded(Future<T> answer) {
    return answer
        .timeout(timeoutMillis, TimeUnit.MILLISECONDS)
        .recover(failure -> Future.failedFuture(explain(failure)));
  }

  private SinkException explain(Throwable failure) {
    String reason = String.valueOf(failure.getMessage());
    String text = "redis at " + address + ": ";
    if (reason.startsWith(FENCED)) {
      return SinkException.permanentFailure(text + reason.substring(FENCED.length()).trim());
    }
    if (failure instanceof TimeoutException) {
      return SinkException.transientFailure(text + "no answer within " + timeoutMillis + " ms");
    }
    if (reason.startsWith("NOAUTH") || reason.startsWith("WRONGPASS")) {
      return SinkException.transientFailure(
          text + "user or password is wrong or missing (" + reason + ")");
    }
    return SinkException.transientFailure(text + reason);
  }

  Future<Void> close() {
    return client.close();
  }
}
