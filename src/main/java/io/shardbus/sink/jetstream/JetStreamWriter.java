package io.shardbus.sink.jetstream;

import io.nats.client.JetStreamApiException;
import io.nats.client.impl.Headers;
import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.util.concurrent.TimeUnit;

/*
 * Publishes batches, one behind the other, on the sink's thread, which may block. A batch that waits for the thread, for
 * the connection or for confirmations ends when its time is over.
 */
final class JetStreamWriter {

  private static final int MESSAGE_SIZE_EXCEEDS_MAXIMUM = 10054;

  private final Vertx vertx;
  private final WorkerExecutor thread;
  private final JetStreamServer server;
  private final String subjectPrefix;
  private final long timeoutMillis;

  JetStreamWriter(
      Vertx vertx, WorkerExecutor thread, JetStreamServer server, JetStreamSinkOptions options) {
    this.vertx = vertx;
    this.thread = thread;
    this.server = server;
    subjectPrefix = options.getSubjectPrefix() + ".shard.";
    timeoutMillis = options.getTimeout().toMillis();
  }

  Future<Void> write(Batch batch) {
    Publication publication = new Publication(batch.size());
    long timer =
        vertx.setTimer(
            timeoutMillis,
            id ->
                publication.fail(server.failure("not confirmed within " + timeoutMillis + " ms")));
    thread
        .executeBlocking(
            () -> {
              publish(batch, publication);
              return null;
            })
        .onFailure(failure -> publication.fail(server.explain(failure)));
    return publication.future().onComplete(done -> vertx.cancelTimer(timer));
  }

  private void publish(Batch batch, Publication publication) throws InterruptedException {
    if (publication.hasEnded()) {
      return;
    }
    Link link = server.link();
    publication.goesOver(link);
    String subject = subjectPrefix + batch.shard();
    for (int i = 0; i < batch.size() && !publication.hasEnded(); i++) {
      ShardEvent event = batch.events().get(i);
      Headers headers = EventMessage.headers(batch, event);
      if (headers.serializedLength() + (long) event.payload().length() > link.maxPayload()) {
        publication.refuseTooLarge(i);
      } else if (link.permits().tryAcquire(timeoutMillis, TimeUnit.MILLISECONDS)) {
        publish(link, subject, headers, event, i, publication);
      } else {
        publication.fail(server.failure("too many events are not confirmed"));
      }
    }
  }

  private void publish(
      Link link,
      String subject,
      Headers headers,
      ShardEvent event,
      int index,
      Publication publication) {
    Future.fromCompletionStage(
            link.jetStream().publishAsync(subject, headers, event.payload().getBytes()))
        .onComplete(
            (ack, failure) -> {
              link.permits().release();
              if (failure == null) {
                publication.confirm(index);
              } else {
                failed(failure, index, publication);
              }
            });
  }

  private void failed(Throwable failure, int index, Publication publication) {
    SinkException explained = server.explain(failure);
    if (explained.getCause() instanceof JetStreamApiException refusal) {
      if (refusal.getApiErrorCode() == MESSAGE_SIZE_EXCEEDS_MAXIMUM) {
        publication.refuseTooLarge(index);
      } else {
        publication.refuse(explained);
      }
    } else {
      publication.fail(explained);
    }
  }
}
