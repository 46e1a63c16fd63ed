package io.shardbus.sink.jetstream;

import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamSubscription;
import io.nats.client.Message;
import io.nats.client.PullSubscribeOptions;
import io.nats.client.api.AckPolicy;
import io.nats.client.api.ConsumerConfiguration;
import io.nats.client.api.DeliverPolicy;
import io.nats.client.api.StreamInfo;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.support.PageBuilder;
import io.shardbus.sink.support.PositionCursor;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/*
 * Reads each page with a consumer of its own. Everything blocks.
 */
final class JetStreamReader {

  private static final String STREAM = "all";
  private static final int NO_MESSAGE = 10037;

  /** When the server removes a consumer that was not removed after its page. */
  private static final Duration ABANDONED = Duration.ofSeconds(30);

  private final JetStreamServer server;
  private final JetStreamSinkOptions options;

  JetStreamReader(JetStreamServer server, JetStreamSinkOptions options) {
    this.server = server;
    this.options = options;
  }

  /** The position of the newest message. */
  PositionCursor end() throws IOException, JetStreamApiException {
    return over(
        link -> {
          StreamInfo stream = stream(link);
          return PositionCursor.BEGINNING
              .in(madeAt(stream))
              .at(STREAM, stream.getStreamState().getLastSequence());
        });
  }

  private interface Use<T> {

    T of(Link link) throws IOException, JetStreamApiException;
  }

  private <T> T over(Use<T> use) throws IOException, JetStreamApiException {
    Link link = server.link();
    try {
      return use.of(link);
    } catch (JetStreamApiException e) {
      link.doubtStream();
      throw e;
    } catch (IOException | SinkException e) {
      link.doubt(); // an answer is missing; whatever else it is, writes go over the same link
      throw e;
    }
  }

  private StreamInfo stream(Link link) throws IOException, JetStreamApiException {
    return link.management().getStreamInfo(options.getStream());
  }

  /** Differs from that of an earlier stream of the same name. */
  private static long madeAt(StreamInfo stream) {
    return stream.getCreateTime().toInstant().toEpochMilli();
  }

  EventPage read(PositionCursor cursor, EventQuery query)
      throws IOException, JetStreamApiException {
    return over(
        link -> {
          StreamInfo stream = stream(link);
          PositionCursor given = cursor.in(madeAt(stream));
          long end = stream.getStreamState().getLastSequence();
          // If the position is behind the end, the server has lost what was read.
          long after = Math.min(given.position(STREAM), end);
          PageBuilder page = new PageBuilder(query);
          String subjects = subjects(query.shard());
          JetStreamSubscription consumer = consume(link, subjects, after, page);
          try {
            long last = query.shard() == null ? end : last(link, subjects);
            return page(consumer, given.at(STREAM, after), last, page);
          } catch (IOException | SinkException e) {
            link.doubt(); // an answer is missing: there will be none to the end, either
            throw e;
          } finally {
            end(link, consumer);
          }
        });
  }

  /** Those of all shards, or that of the only one. */
  private String subjects(@Nullable Integer shard) {
    return options.getSubjectPrefix() + (shard == null ? ".>" : ".shard." + shard);
  }

  /** The newest message of a subject; 0 if there is none. */
  private long last(Link link, String subject) throws IOException, JetStreamApiException {
    try {
      return link.management().getLastMessage(options.getStream(), subject).getSeq();
    } catch (JetStreamApiException e) {
      if (e.getApiErrorCode() == NO_MESSAGE) {
        return 0;
      }
      throw e;
    }
  }

  /** What it does not end, the end of the connection and the server do. */
  private void end(Link link, JetStreamSubscription consumer)
      throws IOException, JetStreamApiException {
    if (!link.isUsable()) {
      return;
    }
    String name = consumer.getConsumerName();
    consumer.unsubscribe();
    if (name != null) {
      link.management().deleteConsumer(options.getStream(), name);
    }
  }

  private JetStreamSubscription consume(Link link, String subjects, long after, PageBuilder page)
      throws IOException, JetStreamApiException {
    ConsumerConfiguration.Builder configuration =
        ConsumerConfiguration.builder()
            .ackPolicy(AckPolicy.None)
            .inactiveThreshold(ABANDONED)
            .memStorage(true)
            .numReplicas(1);
    if (after == 0 && page.sinceMillis() >= 0) {
      Instant since = Instant.ofEpochMilli(page.sinceMillis());
      configuration
          .deliverPolicy(DeliverPolicy.ByStartTime)
          .startTime(since.atZone(ZoneOffset.UTC));
    } else {
      configuration.deliverPolicy(DeliverPolicy.ByStartSequence).startSequence(after + 1);
    }
    return link.jetStream()
        .subscribe(
            subjects,
            PullSubscribeOptions.builder().stream(options.getStream())
                .configuration(configuration.build())
                .build());
  }

  /**
   * @param last the newest message; after a kill the server may count more pending messages than it
   *     has
   */
  private EventPage page(
      JetStreamSubscription consumer, PositionCursor from, long last, PageBuilder page)
      throws IOException, JetStreamApiException {
    long position = from.position(STREAM);
    long pending = consumer.getConsumerInfo().getNumPending();
    while (pending > 0 && position < last && page.hasRoom()) {
      int count = (int) Math.min(pending, page.fetchCount(1));
      List<Message> messages = consumer.fetch(count, options.getTimeout());
      if (messages.isEmpty()) {
        pending = consumer.getConsumerInfo().getNumPending(); // the limits may have deleted all
      }
      if (messages.isEmpty() && pending > 0) {
        throw server.failure(
            "none of the %d messages behind position %d came within %d ms"
                .formatted(pending, position, options.getTimeout().toMillis()));
      }
      for (Message message : messages) {
        if (!page.hasRoom()) {
          break;
        }
        if (page.isPast(storedAt(message))) {
          pending = 0;
          break;
        }
        position = message.metaData().streamSequence();
        pending = message.metaData().pendingCount();
        page.scan(EventMessage.parse(message));
      }
    }
    boolean more = pending > 0 && position < last;
    return page.page(from.at(STREAM, position).format(JetStreamSinkOptions.SINK_NAME), more);
  }

  private static long storedAt(Message message) {
    Instant time = message.metaData().timestamp().toInstant();
    return TimeUnit.SECONDS.toNanos(time.getEpochSecond()) + time.getNano();
  }
}
