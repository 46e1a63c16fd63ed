package io.shardbus.gateway;

import io.shardbus.event.InvalidEventException;
import io.shardbus.event.LineSplitter;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.options.Counted;
import io.vertx.core.buffer.Buffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Takes the events out of the messages of one client, and pushes them. A message is one JSON value
 * or lines of them; a value is an event or an envelope. An event that cannot be pushed is counted
 * with its reason. For one event loop.
 */
final class MessageEvents {

  private final IngestResources resources;
  private final IngestRequest asked;
  private final OrderedIngest ingest;
  private final AckWindow window;
  private long count; // since the connection began
  private long before; // the message

  MessageEvents(
      IngestResources resources, IngestRequest asked, OrderedIngest ingest, AckWindow window) {
    this.resources = resources;
    this.asked = asked;
    this.ingest = ingest;
    this.window = window;
  }

  /** Pushes the events of a message, and adds the message to the window. */
  void push(Buffer bytes, AckWindow.Message message) {
    before = count;
    split(RequestBody.withoutMark(bytes), message);
    if (count == before) {
      reject("an empty message: one JSON value or lines of them are expected", message);
    }
    window.add(message, count - before);
  }

  /**
   * A message without a line end is one value. So is a message whose first line is not a value,
   * such as indented JSON.
   */
  private void split(Buffer bytes, AckWindow.Message message) {
    if (LineSplitter.lineEnd(bytes, 0) < 0) {
      if (bytes.length() > 0) {
        eventOrReject(bytes, message);
      }
      return;
    }
    try {
      eachLine(
          bytes,
          line -> {
            if (count == before) {
              event(line, message);
            } else {
              eventOrReject(line, message);
            }
          });
    } catch (InvalidEventException firstLine) {
      try {
        event(bytes, message);
      } catch (InvalidEventException whole) {
        eachLine(bytes, line -> eventOrReject(line, message));
      }
    }
  }

  private static void eachLine(Buffer bytes, Consumer<Buffer> then) {
    LineSplitter lines = new LineSplitter(Math.max(1, bytes.length()));
    lines.feed(bytes, then);
    lines.end(then);
  }

  private void eventOrReject(Buffer bytes, AckWindow.Message message) {
    try {
      event(bytes, message);
    } catch (InvalidEventException e) {
      reject(e.getMessage(), message);
    }
  }

  private void event(Buffer bytes, AckWindow.Message message) {
    int most = resources.options().getMaxEventsPerMessage();
    if (count - before >= most) {
      refuse(
          Outcome.TOO_MANY,
          "gateway.maxEventsPerMessage: the message has more than " + Counted.of(most, "event"),
          message);
      return;
    }
    RawEvent event = asked.reader().read(bytes);
    count++;
    ingest.push(event, count, message.outcomes, message.deliveries);
  }

  private void reject(@Nullable String why, AckWindow.Message message) {
    refuse(Outcome.INVALID, why, message);
  }

  private void refuse(Outcome reason, @Nullable String why, AckWindow.Message message) {
    count++;
    window.addError(count, why);
    resources.refusals().count(reason);
    message.outcomes.refuse(reason, 1);
  }
}
