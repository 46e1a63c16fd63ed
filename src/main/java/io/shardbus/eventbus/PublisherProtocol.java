package io.shardbus.eventbus;

import io.shardbus.event.AttributeCodec;
import io.shardbus.event.ByteReader;
import io.shardbus.event.ByteWriter;
import io.shardbus.event.IdStore;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a publisher talks to a bus over the event bus.
 *
 * <p>It first sends a request without a body to the address of the bus, with the header {@code
 * publisher}, an id of its choice, and {@code secret} if the bus asks for one; without it the
 * failure is 401, and the publisher gives up what waits. The reply is a JSON object with the {@code
 * address} at which one router of one bus waits for this publisher. If the store of the bus
 * recognises ids, whichever bus writes, the object also has the name of the {@code store} and for
 * how many milliseconds it recognises them, {@code window}. If the router falls silent, the
 * publisher may send its events with ids again to another bus that writes to the same store.
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
 *
 * <p>A publisher may ask there too, with the headers {@code publisher} and {@code ask}. {@code
 * alive} is answered at once, also while batches wait for room: so a publisher tells a router that
 * waits from one that hangs. {@code settled} is answered at once with a JSON object: {@code
 * settled} is true when all that the bus has taken before is delivered or dead-lettered. A
 * publisher asks so before it moves to another router, because of the order of its keys. {@code
 * open} opens a session as the address of the bus does. {@code report}, which needs no publisher,
 * is answered with a JSON object of counts.
 *
 * <p>If the reply to a batch has the header {@code move}, the router asks the publisher to go on at
 * the router with that address, as soon as it can.
 */
final class PublisherProtocol {

  /** Header: the publisher's id. */
  static final String PUBLISHER = "publisher";

  /** Header: the number of the batch. */
  static final String NUMBER = "number";

  /** Header: how long the events may wait for room, in milliseconds. */
  static final String WAIT = "wait";

  /** Header: a question. */
  static final String ASK = "ask";

  /** Question: whether somebody is there. */
  static final String ALIVE = "alive";

  /** Question: whether all that was taken is settled; also the name of the answer. */
  static final String SETTLED = "settled";

  /** Question: whether a publisher may come. */
  static final String OPEN = "open";

  /** Question: what the bus says about itself. */
  static final String REPORT = "report";

  /** Header of a reply: the address of the router to go to. */
  static final String MOVE = "move";

  /** In the answer to a publisher that comes: where it sends its batches. */
  static final String ADDRESS = "address";

  private static final String STORE = "store";
  private static final String WINDOW = "window";

  /** Most batches of a publisher without an answer. */
  static final int MAX_BATCHES = 16;

  /** Failure: a batch before this one is missing. */
  static final int GAP = 409;

  /** Failure: the publisher is not known here. */
  static final int UNKNOWN_PUBLISHER = 410;

  /** A publisher may have an event under way for up to so many times its timeout. */
  private static final int TIMEOUTS = 3;

  private PublisherProtocol() {}

  /**
   * The answer to a publisher that comes.
   *
   * @param address where it sends its batches
   * @param ids the store of the bus; null if it recognises no ids
   */
  static JsonObject welcome(String address, @Nullable IdStore ids) {
    JsonObject welcome = new JsonObject().put(ADDRESS, address);
    return ids == null
        ? welcome
        : welcome.put(STORE, ids.name()).put(WINDOW, ids.window().toMillis());
  }

  /** The store that recognises the ids of a publisher's events as long as they are under way. */
  static @Nullable String store(JsonObject welcome, long timeoutMillis) {
    return welcome.getLong(WINDOW, 0L) / TIMEOUTS >= timeoutMillis
        ? welcome.getString(STORE)
        : null;
  }

  /**
   * Asks. A clustered event bus may throw while the connection to a node that was killed breaks.
   *
   * @return the answer, or why there is none; the message may have arrived all the same
   */
  static <T> Future<Message<T>> request(
      Vertx vertx, String address, @Nullable Buffer body, DeliveryOptions options) {
    try {
      return vertx.eventBus().request(address, body, options);
    } catch (Throwable e) { // also an Error: the caller waits for the answer
      return Future.failedFuture(e);
    }
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
      bytes += RawEventCodec.frameBytes(event);
    }
    ByteWriter out = new ByteWriter(Math.toIntExact(bytes));
    for (RawEvent event : events) {
      RawEventCodec.write(out, event);
    }
    return out.toBuffer();
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
    ByteReader in = new ByteReader(body, 0, body.length());
    while (!in.atEnd()) {
      events.add(RawEventCodec.read(in));
    }
    return events;
  }
}
