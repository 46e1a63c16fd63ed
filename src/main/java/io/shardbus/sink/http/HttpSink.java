package io.shardbus.sink.http;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.options.ServerAddress;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.support.EventLines;
import io.shardbus.sink.support.InFlight;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.KeyCertOptions;
import io.vertx.core.net.TrustOptions;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Posts events to a URL. Safe for any thread. */
final class HttpSink implements Sink {

  private final HttpSinkOptions options;
  private final EventBodies bodies;
  private final String place;
  private final long timeoutMillis;
  private final InFlight inFlight = new InFlight();
  private volatile @Nullable Opened opened;
  private @Nullable Future<Void> closed;

  /** The time by {@link System#nanoTime} until which the server wants no request. */
  private final AtomicLong notBefore = new AtomicLong(System.nanoTime());

  private record Opened(Vertx vertx, HttpClient client, RequestOptions request) {}

  /**
   * @param options where to post; copied
   */
  HttpSink(HttpSinkOptions options) {
    this.options = new HttpSinkOptions(options);
    bodies = new EventBodies(this.options);
    ServerAddress address = ServerAddress.parse(options.getUrl(), "http", "https").orElseThrow();
    place = "http at " + address.text(address.scheme().equals("https") ? 443 : 80) + ": ";
    timeoutMillis = options.getTimeout().toMillis();
  }

  @Override
  public String name() {
    return HttpSinkOptions.SINK_NAME;
  }

  /** Does not look for the server: many only take requests with events. */
  @Override
  public Future<Void> open(SinkContext context) {
    Vertx vertx = context.vertx();
    TrustOptions trust = options.getTls().trust();
    KeyCertOptions certificate = options.getTls().certificate();
    return vertx
        // So that a store that cannot be read, or a wrong password, is told at the start.
        .executeBlocking(() -> options.getTls().sslContext(vertx), false)
        .map(
            loaded -> {
              opened = open(vertx, trust, certificate);
              return null;
            });
  }

  private Opened open(
      Vertx vertx, @Nullable TrustOptions trust, @Nullable KeyCertOptions certificate) {
    HttpClientOptions client =
        new HttpClientOptions()
            .setConnectTimeout((int) Math.min(timeoutMillis, Integer.MAX_VALUE))
            .setTrustOptions(trust)
            .setKeyCertOptions(certificate);
    RequestOptions request =
        new RequestOptions()
            .setMethod(HttpMethod.POST)
            .setAbsoluteURI(options.getUrl())
            .setFollowRedirects(false)
            .setTimeout(timeoutMillis);
    if (options.getToken() != null) {
      request.putHeader(HttpHeaders.AUTHORIZATION, "Bearer " + options.getToken());
    } else if (options.getUser() != null || options.getPassword() != null) {
      String both = text(options.getUser()) + ":" + text(options.getPassword());
      request.putHeader(
          HttpHeaders.AUTHORIZATION,
          "Basic " + Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.UTF_8)));
    }
    for (Map.Entry<String, Object> header : options.getHeaders()) {
      request.putHeader(header.getKey(), (String) header.getValue());
    }
    PoolOptions pool =
        new PoolOptions()
            .setHttp1MaxSize(options.getConnections())
            .setHttp2MaxSize(options.getConnections());
    return new Opened(vertx, vertx.createHttpClient(client, pool), request);
  }

  private static String text(@Nullable String given) {
    return given == null ? "" : given;
  }

  @Override
  public Future<Void> write(Batch batch) {
    return inFlight.run(
        () -> options.getBody() == HttpSinkOptions.Body.single ? oneByOne(batch) : whole(batch));
  }

  private Future<Void> whole(Batch batch) {
    BitSet unfit = new BitSet();
    Buffer body = bodies.of(batch, unfit);
    if (unfit.cardinality() == batch.size()) {
      return Future.failedFuture(EventLines.NO_JSON);
    }
    List<ShardEvent> events = batch.events();
    String key =
        batch.deduplicationId(events.get(0)) + "-" + events.get(batch.size() - 1).sequence();
    RequestOptions request =
        request()
            .putHeader(HttpHeaders.CONTENT_TYPE, bodies.contentType())
            .putHeader(EventBodies.IDEMPOTENCY_KEY, key);
    return post(request, body)
        .compose(
            done ->
                unfit.isEmpty()
                    ? Future.succeededFuture()
                    : Future.failedFuture(SinkException.partial(unfit, EventLines.NO_JSON)));
  }

  private Future<Void> oneByOne(Batch batch) {
    OneByOne all = new OneByOne(batch);
    all.next();
    return all.done.future();
  }

  /** Posts the events of a batch, one after the other. No chain of futures grows with them. */
  private final class OneByOne {

    private final Batch batch;
    private final Promise<Void> done = Promise.promise();
    private final BitSet refused = new BitSet();
    private @Nullable Throwable refusal;
    private int at;

    OneByOne(Batch batch) {
      this.batch = batch;
    }

    void next() {
      if (at == batch.size()) {
        finish();
        return;
      }
      RequestOptions request = request();
      Buffer body = bodies.of(batch, batch.events().get(at), request);
      post(request, body).onComplete(posted -> told(posted.cause()));
    }

    private void told(@Nullable Throwable failure) {
      if (failure == null || (failure instanceof SinkException known && known.isForGood())) {
        if (failure != null) {
          refused.set(at);
          refusal = failure;
        }
        at++;
        next();
      } else {
        refused.set(at, batch.size()); // those refused for good are tried once more with the rest
        done.fail(at == 0 ? failure : SinkException.partial(batch, refused, failure));
      }
    }

    private void finish() {
      if (refusal == null) {
        done.complete();
      } else {
        done.fail(SinkException.partial(batch, refused, refusal));
      }
    }
  }

  private RequestOptions request() {
    return new RequestOptions(opened().request());
  }

  private Future<Void> post(RequestOptions request, Buffer body) {
    long millis = TimeUnit.NANOSECONDS.toMillis(notBefore.get() - System.nanoTime()) + 1;
    if (millis <= 0) {
      return postNow(request, body);
    }
    Future<?> wait = opened().vertx().timer(Math.min(millis, timeoutMillis), TimeUnit.MILLISECONDS);
    return wait.compose(
        over ->
            millis <= timeoutMillis
                ? postNow(request, body)
                : Future.failedFuture(
                    SinkException.transientFailure(
                        place + "it wants no request for " + millis / 1000 + " s (Retry-After)")));
  }

  private Future<Void> postNow(RequestOptions request, Buffer body) {
    Future<HttpClientRequest> connected = opened().client().request(request);
    return connected
        .compose(
            sent -> {
              // Before it is sent, so that no part of the answer is missed.
              Future<Answer> answer = sent.response().compose(Answer::read);
              return sent.end(body).compose(done -> answer, failure -> answer);
            })
        .timeout(timeoutMillis, TimeUnit.MILLISECONDS)
        // An answer that does not end would keep the connection.
        .onFailure(late -> connected.onSuccess(HttpClientRequest::reset))
        .transform(
            (answer, failure) -> {
              if (failure != null) {
                return Future.failedFuture(
                    SinkException.transientFailure(place + failure.getMessage(), failure));
              }
              if (answer.retryAfterSeconds() > 0) {
                notBefore.accumulateAndGet(
                    System.nanoTime() + TimeUnit.SECONDS.toNanos(answer.retryAfterSeconds()),
                    (one, other) -> one - other > 0 ? one : other);
              }
              SinkException refusal = answer.refusal(place);
              return refusal == null ? Future.succeededFuture() : Future.failedFuture(refusal);
            });
  }

  @Override
  public synchronized Future<Void> close() {
    if (closed == null) {
      Opened open = opened;
      closed =
          inFlight
              .close()
              .compose(idle -> open == null ? Future.succeededFuture() : open.client().close());
    }
    return closed;
  }

  private Opened opened() {
    Opened open = opened;
    if (open == null) {
      throw new IllegalStateException("the sink is not open");
    }
    return open;
  }
}
