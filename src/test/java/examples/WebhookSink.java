package examples;

import io.shardbus.event.Batch;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientAgent;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;

public class WebhookSink implements Sink {
  private final RequestOptions target;
  private HttpClientAgent client;

  public WebhookSink(String url) {
    target = new RequestOptions().setAbsoluteURI(url).setMethod(HttpMethod.POST);
  }

  @Override
  public String name() {
    return "webhook";
  }

  @Override
  public Future<Void> open(SinkContext context) {
    client = context.vertx().createHttpClient();
    return Future.succeededFuture();
  }

  @Override
  public Future<Void> write(Batch batch) {
    Buffer lines = Buffer.buffer();
    batch.events().forEach(event -> lines.appendBuffer(event.payload()).appendByte((byte) '\n'));
    var request = new RequestOptions(target); // each write may be repeated: tell the receiver
    request.putHeader("Idempotency-Key", batch.deduplicationId(batch.events().get(0)));
    return client
        .request(request)
        .compose(sent -> sent.send(lines))
        .compose(WebhookSink::check); // a lost connection fails the future: the bus tries again
  }

  private static Future<Void> check(HttpClientResponse response) {
    int status = response.statusCode();
    if (status < 300) {
      return Future.succeededFuture(); // confirmed
    }
    String message = "the receiver answered " + status;
    return Future.failedFuture(
        status >= 500 || status == 429
            ? SinkException.transientFailure(message) // the bus tries again
            : SinkException.permanentFailure(message)); // the bus finds the events to blame
  }

  @Override
  public Future<Void> close() {
    return client == null ? Future.succeededFuture() : client.close();
  }
}
