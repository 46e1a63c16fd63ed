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
import java.util.function.Supplier;
import java.util.stream.Stream;

/*
 * The server as the sink sees it: every command is answered, or fails with a SinkException, within the timeout.
 */
final class RedisServer {

  /** What the writing script begins the error with that no retry mends. */
  static final String FENCED = "FENCED";

  private static final int DEFAULT_PORT = 6379;

  /** The client takes no more than twice as many over one connection at once. */
  private static final int MAX_BATCH = 1_000;

  /** Of what waits for a connection nothing is made before there is one, so it takes little. */
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

  /**
   * @param request makes the request once there is a connection for it
   */
  Future<Response> send(Supplier<Request> request) {
    return bounded(over(connection -> connection.send(request.get())));
  }

  /** As many as there are, one part after the other. */
  Future<List<Response>> batch(List<Request> requests) {
    if (requests.isEmpty()) {
      return Future.succeededFuture(List.of());
    }
    List<Request> part = requests.subList(0, Math.min(MAX_BATCH, requests.size()));
    List<Request> rest = requests.subList(part.size(), requests.size());
    return bounded(over(connection -> connection.batch(part)))
        .compose(
            replies ->
                batch(rest).map(more -> Stream.concat(replies.stream(), more.stream()).toList()));
  }

  private <T> Future<T> over(Function<RedisConnection, Future<T>> exchange) {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    return client
        .connect()
        .compose(
            connection -> {
              // Whoever waits is told of a loss; the client would log it as an error besides.
              connection.exceptionHandler(loss -> {});
              Future<T> answer =
                  System.nanoTime() - deadline < 0
                      ? exchange.apply(connection)
                      : Future.failedFuture(new TimeoutException()); // it is tried anew by now
              return answer.eventually(connection::close);
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
