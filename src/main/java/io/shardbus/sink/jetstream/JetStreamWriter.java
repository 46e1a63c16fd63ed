package io.shardbus.sink.jetstream;

import io.nats.client.JetStreamApiException;
import io.nats.client.impl.Headers;
import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.support.OwnThread;
import io.vertx.core.Future;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/*
 * Publishes batches, one after the other, on the thread of the sink, which may block. If the time of a batch is over
 * while it waits for the thread, the connection or confirmations, the batch fails.
 */
final class JetStreamWriter {

  /** The answers of the server to a message, or its headers, that it never takes. */
  private static final Set<Integer> TOO_LARGE = Set.of(10054, 10097);

  private final OwnThread thread;
  private final JetStreamServer server;
  private final String stream;
  private final String subjectPrefix;
  private final long timeoutMillis;

  JetStreamWriter(OwnThread thread, JetStreamServer server, JetStreamSinkOptions options) {
    this.thread = thread;
    this.server = server;
    stream = options.getStream();
    subjectPrefix = options.getSubjectPrefix() + ".shard.";
    timeoutMillis = options.getTimeout().toMillis();
  }

  Future<Void> write(Batch batch) {
    Publication publication = new Publication(batch);
    if (!thread.execute(() -> tryToPublish(batch, publication))) {
      return Future.failedFuture(server.failure("the sink is closed"));
    }
    publication
        .future()
        .timeout(timeoutMillis, TimeUnit.MILLISECONDS)
        .onFailure(
            late ->
                publication.fail(server.failure("not confirmed within " + timeoutMillis + " ms")));
    return publication.future();
  }

  private void tryToPublish(Batch batch, Publication publication) {
    try {
      publish(batch, publication);
    } catch (Exception | Error e) { // whatever it is, the bus waits for the answer
      publication.fail(server.explain(e));
    }
  }

  private void publish(Batch batch, Publication publication)
      throws IOException, JetStreamApiException, InterruptedException {
    if (publication.hasEnded()) {
      return;
    }
    Link link = server.link();
    publication.goesOver(link);
    String subject = subjectPrefix + batch.shard();
    for (int i = 0; i < batch.size() && !publication.hasEnded(); i++) {
      ShardEvent event = batch.events().get(i);
      Headers headers = EventMessage.headers(batch, event);
      long bytes = headers.serializedLength() + (long) event.payload().length();
      if (!link.takes(subject, bytes)) {
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
              if (failure != null) {
                failed(failure, link, index, publication);
              } else if (ack.getStream().equals(stream)) {
                publication.confirm(index);
              } else {
                link.doubtStream();
                publication.refuse(
                    server.failure(
                        "stream " + ack.getStream() + " takes the subjects of stream " + stream));
              }
            });
  }

  private void failed(Throwable failure, Link link, int index, Publication publication) {
    SinkException explained = server.explain(failure);
    if (explained.getCause() instanceof JetStreamApiException refusal) {
      link.doubtStream();
      if (TOO_LARGE.contains(refusal.getApiErrorCode())) {
        publication.refuseTooLarge(index);
      } else {
        publication.refuse(explained);
      }
    } else {
      publication.fail(explained);
    }
  }
}
