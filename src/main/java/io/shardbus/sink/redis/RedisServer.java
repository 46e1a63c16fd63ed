package io.shardbus.sink.redis;

import io.shardbus.options.ServerAddress;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import io.vertx.core.net.NetClientOptions;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisClientType;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.RedisRole;
import io.vertx.redis.client.RedisSentinelConnectOptions;
import io.vertx.redis.client.RedisStandaloneConnectOptions;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/*
 * The connection to the server. Every command is answered, or fails with a SinkException, within the timeout.
 */
final class RedisServer {

  /** The beginning of the error with which the writing script refuses for good. */
  static final String FENCED = "FENCED";

  /** The answers of the server to a value that it never takes. There are no codes for them. */
  private static final List<String> FOR_GOOD =
      List.of("Protocol error: invalid bulk length", "Elements are too large to be stored");

  /** Redis expects clients to close connections themselves, but those of a pool do not. */
  private static final Command QUIT = Command.create("quit");

  /** The server's settings that bound a value. */
  private static final List<String> LIMITS =
      List.of("proto-max-bulk-len", "client-query-buffer-limit");

  /** No server can be set to take less. */
  private static final int LEAST_LIMIT = 1 << 20;

  /** The client's text for failures in a batch: a line for each, with its number. */
  private static final Pattern OF_BATCH = Pattern.compile("(?s)^ERR \\[\\d+] (\\V*).*");

  private static final Logger LOG = LoggerFactory.getLogger(RedisServer.class);

  private static final int DEFAULT_PORT = 6379;

  /** The client takes no more than twice as many over one connection at once. */
  private static final int MAX_BATCH = 1_000;

  /** A request is built only when it has a connection. So a waiting request takes little memory. */
  private static final int MAX_WAITING = 1 << 20;

  private final Redis client;
  private final long timeoutMillis;
  private final String address;

  RedisServer(Vertx vertx, RedisSinkOptions options) {
    List<String> servers =
        Arrays.stream(options.getConnectionString().split(",", -1)).map(String::strip).toList();
    address =
        servers.stream()
            .map(server -> address(server).text(DEFAULT_PORT))
            .collect(Collectors.joining(", "));
    timeoutMillis = options.getTimeout().toMillis();
    NetClientOptions net =
        new NetClientOptions()
            .setConnectTimeout((int) Math.min(timeoutMillis, Integer.MAX_VALUE))
            .setHostnameVerificationAlgorithm("HTTPS")
            .setTrustOptions(options.getTls().trust())
            .setKeyCertOptions(options.getTls().certificate())
            // A connection whose server went silent must not keep its place in the pool.
            .setIdleTimeout((int) Math.min(timeoutMillis, Integer.MAX_VALUE))
            .setIdleTimeoutUnit(TimeUnit.MILLISECONDS);
    RedisOptions redis =
        new RedisOptions()
            .setPassword(options.getPassword())
            .setMaxPoolSize(options.getConnections())
            .setMaxPoolWaiting(MAX_WAITING)
            .setNetClientOptions(net);
    String master = options.getMasterName();
    client =
        master == null
            ? Redis.createStandaloneClient(
                vertx,
                redis,
                () ->
                    resolved(vertx, servers)
                        .map(
                            endpoints ->
                                new RedisStandaloneConnectOptions()
                                    .setPassword(options.getPassword())
                                    .setEndpoints(endpoints)))
            : Redis.createSentinelClient(
                vertx,
                redis.setType(RedisClientType.SENTINEL),
                () ->
                    resolved(vertx, servers)
                        .map(
                            endpoints ->
                                new RedisSentinelConnectOptions()
                                    .setRole(RedisRole.MASTER)
                                    .setMasterName(master)
                                    .setPassword(options.getPassword())
                                    .setEndpoints(endpoints)));
  }

  /** The client takes no host with an underscore: its address stands for it. */
  private static Future<List<String>> resolved(Vertx vertx, List<String> servers) {
    return servers.stream().allMatch(server -> server.indexOf('_') < 0)
        ? Future.succeededFuture(servers)
        : vertx.executeBlocking(
            () -> servers.stream().map(server -> address(server).resolve(server)).toList(), false);
  }

  private static ServerAddress address(String server) {
    return ServerAddress.parse(server, "redis", "rediss").orElseThrow();
  }

  /** Refuses a server that cannot keep streams as the sink needs it. */
  Future<Void> check() {
    return bounded(over(connection -> connection.send(Request.cmd(Command.INFO))))
        .compose(
            info -> check(info.toString()),
            // A user need not have the right, and reading tells of any other fault.
            unknown -> Future.succeededFuture());
  }

  private Future<Void> check(String info) {
    if (info.contains("redis_mode:cluster")) {
      return Future.failedFuture(
          new IllegalStateException(
              place() + " it is a Redis Cluster, which is not supported; use a single master"));
    }
    if (info.contains("redis_mode:sentinel")) {
      return Future.failedFuture(
          new IllegalStateException(place() + " it is a Sentinel: set masterName"));
    }
    if (!info.contains("maxmemory_policy:noeviction") && !info.contains("maxmemory:0\r")) {
      LOG.warn(
          place()
              + " its maxmemory-policy evicts keys: streams with events, or the keys by which"
              + " repetitions are recognised. Set it to noeviction");
    }
    return Future.succeededFuture();
  }

  /**
   * @param request makes the request once there is a connection for it
   * @param largest the bytes of its largest value; asked for only if it fails
   */
  Future<Response> send(Supplier<Request> request, LongSupplier largest) {
    return over(connection -> connection.send(request.get()))
        .timeout(timeoutMillis, TimeUnit.MILLISECONDS)
        .recover(failure -> blame(failure, largest.getAsLong()));
  }

  private Future<Response> blame(Throwable failure, long largest) {
    if (failure instanceof TimeoutException || largest < LEAST_LIMIT) {
      return Future.failedFuture(explain(failure));
    }
    return limit()
        .transform(
            (limit, unknown) ->
                Future.failedFuture(
                    unknown == null && largest > limit
                        ? tooLarge(largest, limit)
                        : explain(failure)));
  }

  private SinkException tooLarge(long largest, long limit) {
    return SinkException.permanentFailure(
        "%s a value of %d bytes is larger than the server takes, which is %d (%s)"
            .formatted(place(), largest, limit, String.join(", ", LIMITS)));
  }

  /**
   * The bytes of the largest value that the server takes. On a larger one it closes the connection,
   * and if more bytes are on their way to it, its reason gets lost.
   */
  private Future<Long> limit() {
    List<Request> requests =
        LIMITS.stream().map(name -> Request.cmd(Command.CONFIG).arg("GET").arg(name)).toList();
    return batch(requests)
        .map(
            replies ->
                IntStream.range(0, LIMITS.size())
                    .mapToObj(i -> replies.get(i).get(LIMITS.get(i)))
                    .filter(Objects::nonNull)
                    .mapToLong(Response::toLong)
                    .min()
                    .orElse(Long.MAX_VALUE));
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
              // Callers are told of a loss; without this handler the client would also log it as an
              // error.
              connection.exceptionHandler(loss -> {});
              if (System.nanoTime() - deadline >= 0) {
                connection.close();
                return Future.failedFuture(new TimeoutException()); // it is tried anew by now
              }
              return exchange
                  .apply(connection)
                  .onSuccess(answer -> connection.close())
                  .onFailure(refusal -> drop(connection));
            });
  }

  /**
   * Ends a connection over which something failed, so that the next attempt connects anew: the
   * address may lead to another server by now, or the server may have another role or password. The
   * pool lets go of it when the server closes it, or when it was silent for too long.
   */
  private static void drop(RedisConnection connection) {
    connection.endHandler(end -> connection.close()); // which the client's metrics count
    connection.send(Request.cmd(QUIT)).onFailure(refusal -> connection.close());
  }

  private <T> Future<T> bounded(Future<T> answer) {
    return answer
        .timeout(timeoutMillis, TimeUnit.MILLISECONDS)
        .recover(failure -> Future.failedFuture(explain(failure)));
  }

  private String place() {
    return "redis at " + address + ":";
  }

  private SinkException explain(Throwable failure) {
    String reason = OF_BATCH.matcher(String.valueOf(failure.getMessage())).replaceFirst("$1");
    String text = place() + " ";
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
    if (FOR_GOOD.stream().anyMatch(reason::contains)) {
      return SinkException.permanentFailure(text + reason);
    }
    return SinkException.transientFailure(text + reason);
  }

  Future<Void> close() {
    return client.close();
  }
}
