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
import java.util.List;

/*
 * Reads each page with a consumer of its own. Everything blocks.
 */
final class JetStreamReader {

  private static final String STREAM = "all";

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
          PositionCursor from = cursor.in(madeAt(stream));
          JetStreamSubscription consumer = consume(link, from.position(STREAM) + 1);
          EventPage page = page(consumer, from, stream.getStreamState().getLastSequence(), query);
          end(link, consumer);
          return page;
        });
  }

  private void end(Link link, JetStreamSubscription consumer)
      throws IOException, JetStreamApiException {
    String name = consumer.getConsumerName();
    consumer.unsubscribe();
    if (name != null) {
      link.management().deleteConsumer(options.getStream(), name);
    }
  }

  private JetStreamSubscription consume(Link link, long from)
      throws IOException, JetStreamApiException {
    ConsumerConfiguration configuration =
        ConsumerConfiguration.builder()
            .ackPolicy(AckPolicy.None)
            .deliverPolicy(DeliverPolicy.ByStartSequence)
            .startSequence(from)
            .inactiveThreshold(ABANDONED)
            .memStorage(true)
            .numReplicas(1)
            .build();
    return link.jetStream()
        .subscribe(
            options.getSubjectPrefix() + ".>",
            PullSubscribeOptions.builder().stream(options.getStream())
                .configuration(configuration)
                .build());
  }

  /**
   * @param last the newest message; after a kill the server may count more pending messages than it
   *     has
   */
  private EventPage page(
      JetStreamSubscription consumer, PositionCursor from, long last, EventQuery query)
      throws IOException, JetStreamApiException {
    PageBuilder page = new PageBuilder(query);
    long position = from.position(STREAM);
    long pending = consumer.getConsumerInfo().getNumPending();
    while (pending > 0 && position < last && page.hasRoom()) {
      int count = (int) Math.min(pending, page.fetchCount(1));
      List<Message> messages = consumer.fetch(count, options.getTimeout());
      if (messages.isEmpty()) {
        throw server.failure(
            "none of the %d messages behind position %d came within %d ms"
                .formatted(pending, position, options.getTimeout().toMillis()));
      }
      for (Message message : messages) {
        if (!page.hasRoom()) {
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
}
