package io.shardbus.eventbus;

import io.shardbus.event.AttributeCodec;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;

/**
 * How a publisher talks to a bus over the event bus.
 *
 * <p>It first sends a request without a body to the address of the bus, with the header {@code
 * publisher}, an id of its choice. The reply is a JSON object with the {@code address} at which one
 * router of one bus waits for this publisher.
 *
 * <p>There it sends its batches, with the headers {@code batch: framed}, {@code publisher}, {@code
 * number} (from 0, one more with each batch), {@code ack} ({@code accepted} or {@code delivered})
 * and {@code wait} (how many milliseconds the events may wait for room). The body is, for each
 * event and in big-endian order: 8 bytes hash, the key, id and headers as in {@link
 * AttributeCodec}, 4 bytes length of the event, the event.
 *
 * <p>The reply comes when the fate of all its events is known: an empty body if all were taken,
 * else one byte an event, its {@link Outcome#wireByte}. The router takes batches in the order of
 * their numbers. If a batch comes again, and is among the last {@link #MAX_BATCHES}, the router
 * answers it again and takes no event twice. So no more batches may be unanswered. After a failure,
 * no event of the batch was taken: 400 invalid, 409 the batch before it is missing, 410 the router
 * does not know the publisher (any more), 429 too many events wait already, 503 the bus is closed.
 */
final class PublisherProtocol {

  /** Header: the publisher's id. */
  static final String PUBLISHER = "publisher";

  /** Header: the number of the batch. */
  static final String NUMBER = "number";

  /** Header: how long the events may wait for room, in milliseconds. */
  static final String WAIT = "wait";

  /** Most batches of a publisher without an answer. */
  static final int MAX_BATCHES = 16;

  /** Failure: a batch before this one is missing. */
  static final int GAP = 409;

  /** Failure: the publisher is not known here. */
  static final int UNKNOWN_PUBLISHER = 410;

  /** Hash, length, and the attributes of an event that has none. */
  private static final int FRAME_BYTES = 13;

  /** Their kinds, the number of headers, and a length of up to 5 bytes for each text. */
  private static final long TEXT_BYTES = 5;

  private static final RawEventCodec CODEC = new RawEventCodec();

  private PublisherProtocol() {}

  /**
   * The size of an event in a body.
   *
   * @param event the event
   * @return bytes, or a few more
   */
  static long frameBytes(RawEvent event) {
    int texts = (event.key() == null ? 0 : 1) + (event.id() == null ? 0 : 1);
    int headers = event.headers().size();
    return FRAME_BYTES
        + event.totalSize()
        + TEXT_BYTES * (texts + 2 * headers)
        + (headers == 0 ? 0 : 1);
  }

  /**
   * Writes a body.
   *
   * @param events the batch
   * @return its bytes
   */
  static Buffer encode(List<RawEvent> events) {
    long bytes = 0;
    for (RawEvent event : events) {
      bytes += frameBytes(event);
    }
    Buffer out = Buffer.buffer(Math.toIntExact(bytes));
    for (RawEvent event : events) {
      CODEC.encodeToWire(out, event);
    }
    return out;
  }

  /**
   * Reads a body.
   *
   * @param body the bytes
   * @return the batch, its events copied out of the body
   * @throws InvalidEventException if the bytes are no batch
   */
  static List<RawEvent> decode(Buffer body) {
    List<RawEvent> events = new ArrayList<>();
    int at = 0;
    while (at < body.length()) {
      RawEventCodec.Decoded decoded;
      try {
        decoded = RawEventCodec.decode(at, body);
      } catch (InvalidEventException e) {
        throw e;
      } catch (RuntimeException e) {
        throw new InvalidEventException("a batch: framed breaks off in an event", at);
      }
      events.add(decoded.event());
      at = decoded.end();
    }
    return events;
  }
}
