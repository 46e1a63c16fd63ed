package io.shardbus.eventbus;

import io.shardbus.delivery.WaitingRoom;
import io.shardbus.event.Ack;
import io.shardbus.event.BatchIngestResult;
import io.shardbus.event.EventTime;
import io.shardbus.event.Headers;
import io.shardbus.event.IdStore;
import io.shardbus.event.IngestResult;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.LineSplitter;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.options.SharedSecret;
import io.shardbus.shard.DeliveryAck;
import io.shardbus.shard.ShardManager;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.MultiMap;
import io.vertx.core.VerticleBase;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The event-bus face of the bus: takes events from an address, routes them and replies. A message
 * that was sent without expecting a reply gets none.
 *
 * <p>Bodies: {@link Buffer}, {@link String} (UTF-8), {@link JsonObject}, {@link JsonArray}, {@link
 * RawEvent}. Headers: {@code key}; {@code id}; {@code ack}, when to reply: {@code none}, {@code
 * accepted} (the default) or {@code delivered}; {@code batch: ndjson}, the body is lines of events.
 * {@code secret}, if the bus asks for one. Other headers travel with the event, or with each event
 * of a batch. Failure codes: 400 invalid, 401 no secret or a wrong one, 413 too large, 422 refused
 * by an interceptor, 429 backpressure, 503 closed or unrouted, 500 accepted but not deliverable.
 * Publishers with flow control speak {@link PublisherProtocol}.
 */
public final class RouterVerticle extends VerticleBase {

  private static final long LINGER_MILLIS = 100;
  private static final String KEY = "key";
  private static final String ID = "id";
  private static final String ACK = "ack";
  private static final String BATCH = "batch";

  /** Those that are for the bus. */
  private static final Set<String> OWN_HEADERS =
      Set.of(
          KEY,
          ID,
          ACK,
          BATCH,
          SharedSecret.NAME,
          PublisherProtocol.PUBLISHER,
          PublisherProtocol.ASK,
          PublisherProtocol.NUMBER,
          PublisherProtocol.WAIT);

  private final ShardManager manager;
  private final WaitingRoom waitingRoom;
  private final String address;
  private final @Nullable String secret;
  private final String publishersAddress;
  private final List<MessageConsumer<Object>> consumers = new ArrayList<>();
  private final Supplier<Future<Void>> flush;
  private final ClusterNodes nodes;
  private final Supplier<@Nullable IdStore> store;
  private @Nullable PublisherSessions publishers;
  private @Nullable RouterBalance balance;

  /**
   * @param manager where events go
   * @param waitingRoom where publishers' events wait for room
   * @param address the address to serve
   * @param secret that senders must know; null for none
   * @param nodes the same for all routers of a bus; publishers need not move between them
   * @param store the one behind the bus, if it recognises ids
   * @param flush completes when all that the bus has taken is settled
   */
  public RouterVerticle(
      ShardManager manager,
      WaitingRoom waitingRoom,
      String address,
      @Nullable String secret,
      ClusterNodes nodes,
      Supplier<@Nullable IdStore> store,
      Supplier<Future<Void>> flush) {
    this.nodes = nodes;
    this.store = store;
    this.flush = flush;
    this.manager = manager;
    this.waitingRoom = waitingRoom;
    this.address = address;
    this.secret = secret;
    publishersAddress = address + ".publishers." + UUID.randomUUID();
  }

  @Override
  public Future<?> start() {
    PublisherSessions sessions =
        new PublisherSessions(
            context,
            waitingRoom,
            publishersAddress,
            secret,
            nodes,
            store,
            flush,
            manager::isClosed);
    publishers = sessions;
    RouterBalance others =
        new RouterBalance(vertx, address + ".routers", nodes, publishersAddress, sessions);
    balance = others;
    // First, so that no publisher is sent there too early.
    return consume(publishersAddress, sessions::message)
        .compose(done -> consume(address, this::handle))
        .compose(done -> vertx.isClustered() ? others.start() : Future.succeededFuture());
  }

  private Future<Void> consume(String from, Handler<Message<Object>> handler) {
    MessageConsumer<Object> consumer = vertx.eventBus().consumer(from, handler);
    consumers.add(consumer);
    return consumer.completion();
  }

  @Override
  public Future<?> stop() {
    if (balance != null) {
      balance.stop();
    }
    Future<?> lingered = Future.succeededFuture();
    if (publishers != null && !publishers.isEmpty()) {
      // Answer the batches under way with CLOSED, rather than never.
      lingered = Future.future(done -> vertx.setTimer(LINGER_MILLIS, timer -> done.complete()));
    }
    return lingered.compose(
        over -> Future.join(consumers.stream().map(MessageConsumer::unregister).toList()));
  }

  private void handle(Message<Object> message) {
    try {
      String publisher = message.headers().get(PublisherProtocol.PUBLISHER);
      if (publisher != null) {
        open(message, publisher);
        return;
      }
      if (!SharedSecret.matches(secret, message.headers().get(SharedSecret.NAME))) {
        message.fail(Outcome.UNAUTHORIZED.status(), Outcome.UNAUTHORIZED.meaning());
        return;
      }
      Ack ack = ack(message.headers().get(ACK));
      String batch = message.headers().get(BATCH);
      if (batch == null) {
        one(message, ack);
      } else if (batch.equals("ndjson")) {
        many(message, ack);
      } else {
        throw new InvalidEventException("header batch: \"" + batch + "\" must be ndjson", -1);
      }
    } catch (InvalidEventException e) {
      message.fail(Outcome.INVALID.status(), e.getMessage());
    } catch (LineSplitter.LineTooLongException e) {
      manager.refuseTooLarge();
      message.fail(Outcome.TOO_LARGE.status(), e.getMessage());
    }
  }

  private void open(Message<Object> message, String publisher) {
    PublisherSessions sessions = publishers;
    if (sessions != null) {
      sessions.openFor(publisher, message);
    }
  }

  private static Ack ack(@Nullable String header) {
    try {
      return header == null ? Ack.ACCEPTED : Ack.parse(header);
    } catch (IllegalArgumentException e) {
      throw new InvalidEventException("header " + e.getMessage(), -1);
    }
  }

  private void one(Message<Object> message, Ack ack) {
    RawEvent event = event(message.body(), message.headers());
    LateReply reply = ack == Ack.DELIVERED ? new LateReply(message) : null;
    IngestResult result = manager.ingestRaw(event, reply);
    if (!result.accepted()) {
      message.fail(result.outcome().status(), result.meaning());
    } else if (reply != null) {
      reply.accepted(1, json(result));
    } else if (ack == Ack.ACCEPTED) {
      message.reply(json(result));
    }
  }

  private RawEvent event(@Nullable Object body, MultiMap given) {
    String key = given.get(KEY);
    String id = given.get(ID);
    Headers headers = others(given);
    if (!(body instanceof RawEvent event)) {
      return RawEvent.builder(bytes(body)).key(key).id(id).headers(headers).build();
    }
    if (key == null && id == null && headers.isEmpty()) {
      return event;
    }
    RawEvent.Builder builder =
        RawEvent.builder(event.buffer())
            .key(key == null ? event.key() : key)
            .id(id == null ? event.id() : id)
            .headers(headers.isEmpty() ? event.headers() : headers);
    return key == null && event.key() == null
        ? builder.hash(event.hash()).build()
        : builder.build();
  }

  /** The headers that travel with the event. */
  private static Headers others(MultiMap given) {
    Map<String, String> others = new LinkedHashMap<>();
    for (Map.Entry<String, String> header : given) {
      if (!OWN_HEADERS.contains(header.getKey().toLowerCase(Locale.ROOT))) {
        others.put(header.getKey(), header.getValue());
      }
    }
    return Headers.of(others);
  }

  private Buffer bytes(@Nullable Object body) {
    if (body instanceof Buffer buffer) {
      return buffer;
    }
    if (body instanceof String text) {
      return Buffer.buffer(text);
    }
    if (body instanceof JsonObject || body instanceof JsonArray) {
      Buffer json = RawEvent.ofJson(body).buffer();
      manager.limits().json().require(json);
      return json;
    }
    throw new InvalidEventException(
        "a body of type "
            + (body == null ? "null" : body.getClass().getName())
            + " is not an event: allowed are Buffer, String, JsonObject, JsonArray and RawEvent",
        -1);
  }

  private void many(Message<Object> message, Ack ack) {
    Object body = message.body();
    if (!(body instanceof Buffer || body instanceof String)) {
      throw new InvalidEventException("a batch: ndjson needs a body of type Buffer or String", -1);
    }
    if (message.headers().contains(ID)) {
      throw new InvalidEventException(
          "header id: not allowed with batch, which has many events", -1);
    }
    String key = message.headers().get(KEY);
    Headers headers = others(message.headers());
    List<RawEvent> events = new ArrayList<>();
    LineSplitter splitter = new LineSplitter(manager.limits().maxEventBytes());
    Consumer<Buffer> each =
        line -> events.add(RawEvent.builder(line).key(key).headers(headers).build());
    splitter.feed(bytes(body), each);
    splitter.end(each);
    LateReply reply = ack == Ack.DELIVERED ? new LateReply(message) : null;
    BatchIngestResult result = manager.ingestRawBatch(events, reply);
    if (reply != null) {
      reply.accepted(result.accepted(), json(result));
    } else if (ack == Ack.ACCEPTED) {
      message.reply(json(result));
    }
  }

  private static JsonObject json(IngestResult result) {
    JsonObject json =
        new JsonObject()
            .put("shard", result.shard())
            .put("time", EventTime.text(result.timestamp()));
    return result.outcome() == Outcome.DUPLICATE ? json.put("duplicate", true) : json;
  }

  private static JsonObject json(BatchIngestResult result) {
    return new JsonObject()
        .put("accepted", result.accepted())
        .put("dropped", result.dropped())
        .put("unrouted", result.unrouted())
        .put("duplicates", result.duplicates());
  }

  /** Replies once the fates of the events and the result of pushing them are known. */
  private static final class LateReply implements DeliveryAck {

    private final Message<?> message;
    private @Nullable JsonObject result;
    private int accepted;
    private int settled;
    private int failures;
    private @Nullable Outcome failure;

    LateReply(Message<?> message) {
      this.message = message;
    }

    synchronized void accepted(int events, JsonObject answer) {
      accepted = events;
      result = answer;
      replyIfReady();
    }

    @Override
    public synchronized void delivered(int events) {
      settled += events;
      replyIfReady();
    }

    @Override
    public synchronized void failed(Outcome why, int events) {
      settled += events;
      failures += events;
      failure = why;
      replyIfReady();
    }

    private void replyIfReady() {
      if (result == null || settled < accepted) {
        return;
      }
      if (failure == null) {
        message.reply(result);
      } else {
        String which = failures + " of " + accepted + " events not delivered: ";
        message.fail(failure.status(), which + failure.meaning());
      }
    }
  }
}
