package io.shardbus.sink.jetstream;

import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamSubscription;
import io.nats.client.Message;
import io.nats.client.PullSubscribeOptions;
import io.nats.client.api.AckPolicy;
import io.nats.client.api.ConsumerConfiguration;
import io.nats.client.api.DeliverPolicy;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.PositionCursor;
import io.shardbus.sink.StoredEvent;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/*
 * Reads pages by a consumer that lives as long as the page is read. Everything blocks.
 */
final class JetStreamReader {

  private static final String STREAM = "all";
  private static final long MAX_PAGE_BYTES = 8 << 20;

  /** A filter that matches little must not read everything for one page. */
  private static final int MAX_SCANNED = 100_000;

  /** Bounds what is in memory at once. */
  private static final int MAX_FETCHED = 500;

  /** When the server ends a consumer whose reader did not come to its end. */
  private static final Duration ABANDONED = Duration.ofSeconds(30);

  private final JetStreamServer server;
  private final JetStreamSinkOptions options;

  JetStreamReader(JetStreamServer server, JetStreamSinkOptions options) {
    this.server = server;
    this.options = options;
  }

  /** The position of the newest message. */
  PositionCursor end() throws IOException, JetStreamApiException {
    return at(
        server
            .link()
            .management()
            .getStreamInfo(options.getStream())
            .getStreamState()
            .getLastSequence());
  }

  private static PositionCursor at(long position) {
    return new PositionCursor(new TreeMap<>(Map.of(STREAM, position)));
  }

  EventPage read(PositionCursor cursor, EventQuery query)
      throws IOException, JetStreamApiException {
    Link link = server.link();
    boolean answered = false;
    try {
      JetStreamSubscription consumer = consume(link, cursor.position(STREAM) + 1);
      EventPage page = page(consumer, cursor.position(STREAM), query);
      end(link, consumer);
      answered = true;
      return page;
    } finally {
      if (!answered) {
        link.doubt();
      }
    }
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

  private EventPage page(JetStreamSubscription consumer, long after, EventQuery query)
      throws IOException, JetStreamApiException {
    List<StoredEvent> events = new ArrayList<>();
    long position = after;
    long pending = consumer.getConsumerInfo().getNumPending();
    long bytes = 0;
    int scanned = 0;
    while (pending > 0 && hasRoom(query, events.size(), bytes, scanned)) {
      int count = (int) Math.min(pending, Math.min(MAX_FETCHED, query.limit()));
      List<Message> messages = consumer.fetch(count, options.getTimeout());
      if (messages.isEmpty()) {
        throw server.failure("no answer within " + options.getTimeout().toMillis() + " ms");
      }
      for (Message message : messages) {
        if (!hasRoom(query, events.size(), bytes, scanned)) {
          break;
        }
        scanned++;
        position = message.metaData().streamSequence();
        pending = message.metaData().pendingCount();
        StoredEvent event = EventMessage.parse(message);
        if (event != null && (query.filter() == null || query.filter().test(event.event()))) {
          events.add(event);
          bytes += event.event().payload().length();
        }
      }
    }
    if (query.order() == EventQuery.Order.TIMESTAMP) {
      events.sort(Comparator.comparingLong(stored -> stored.event().timestamp()));
    }
    return new EventPage(events, at(position).format(JetStreamSinkOptions.SINK_NAME), pending > 0);
  }

  private static boolean hasRoom(EventQuery query, int events, long bytes, int scanned) {
    return events < query.limit() && bytes < MAX_PAGE_BYTES && scanned < MAX_SCANNED;
  }
}
