package io.shardbus.bench;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpResponseExpectation;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.json.JsonObject;

/**
 * Pipelined POSTs of NDJSON to a Shardbus server, a lot a request. The server takes one after the
 * other, as HTTP/1.1 has it.
 */
final class HttpWay implements Way {

  private final Vertx vertx;
  private final int port;
  private final String uri;

  /**
   * @param ack what an answer means: {@code accepted} or {@code delivered}
   */
  HttpWay(Vertx vertx, int port, String ack) {
    this.vertx = vertx;
    this.port = port;
    uri = "/v1/events?ack=" + ack;
  }

  @Override
  public void open(Lots lots, Confirmations confirmations, Opened opened) {
    HttpClient client =
        vertx.createHttpClient(
            new HttpClientOptions()
                .setDefaultHost("127.0.0.1")
                .setDefaultPort(port)
                .setPipelining(true)
                .setPipeliningLimit(Lots.UNDER_WAY),
            new PoolOptions().setHttp1MaxSize(1));
    opened.add(() -> client.close().await());
    Session session = new Session(client, lots, confirmations);
    opened.add(session.repeat);
    vertx.getOrCreateContext().runOnContext(go -> session.start());
  }

  /** On one context. */
  private final class Session {

    private final HttpClient client;
    private final Lots.Cycle<Buffer> bodies;
    private final int size;
    private final Confirmations confirmations;
    private final Repeat repeat = new Repeat();

    /** An answer that was found good: others like it need not be read. */
    private Buffer good = Buffer.buffer();

    Session(HttpClient client, Lots lots, Confirmations confirmations) {
      this.client = client;
      this.confirmations = confirmations;
      bodies = lots.as(Ndjson::of);
      size = lots.size();
    }

    void start() {
      for (int i = 0; i < Lots.UNDER_WAY; i++) {
        repeat.again(null, this::post);
      }
    }

    private void post() {
      long sentAt = System.nanoTime();
      client
          .request(HttpMethod.POST, uri)
          .compose(
              request ->
                  request.putHeader("Content-Type", "application/x-ndjson").send(bodies.next()))
          .expecting(HttpResponseExpectation.SC_ACCEPTED)
          .compose(HttpClientResponse::body)
          .compose(this::check)
          .onComplete(
              answer -> {
                if (answer.succeeded()) {
                  confirmations.add(size, sentAt);
                }
                repeat.again(answer.cause(), this::post);
              });
    }

    private Future<Void> check(Buffer answer) {
      if (!answer.equals(good)) {
        JsonObject json = answer.toJsonObject();
        if (json.getInteger("accepted") != size || json.getInteger("failed", 0) != 0) {
          return Future.failedFuture("not all were taken: " + json);
        }
        good = answer;
      }
      return Future.succeededFuture();
    }
  }
}
