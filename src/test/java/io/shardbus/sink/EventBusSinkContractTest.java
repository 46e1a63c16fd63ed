package io.shardbus.sink;

import io.shardbus.event.Batch;
import io.shardbus.sink.eventbus.EventBusConsumer;
import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import org.junit.jupiter.api.Tag;

/** The event-bus sink, with a consumer on the other side that remembers what it was given. */
@Tag("once")
class EventBusSinkContractTest extends SinkContract {

  private static final String ADDRESS = "contract";
  private static final int GREETING = 60_000;

  @Override
  ReplayableSink create() {
    return new Remembered();
  }

  @Override
  boolean durable() {
    return false;
  }

  @Override
  boolean seeksTimes() {
    return false;
  }

  /** Writes go over the event bus, reads ask the consumer's memory. */
  private final class Remembered implements ReplayableSink {

    private final Sink sink =
        Sinks.create(
            new SinkOptions("eventbus").setConfig(new JsonObject().put("address", ADDRESS)));
    private final ReplayableSink memory =
        (ReplayableSink)
            Sinks.create(
                new SinkOptions("memory").setConfig(new JsonObject().put("maxEvents", 2 * MANY)));

    @Override
    public String name() {
      return sink.name();
    }

    @Override
    public Future<Void> open(SinkContext context) {
      return memory
          .open(context)
          .compose(done -> EventBusConsumer.start(vertx, ADDRESS, 4, this::remember))
          .compose(consumer -> sink.open(context))
          // Until the consumer was heard of.
          .compose(done -> EventBusSinkFixture.writeUntilTaken(vertx, sink, batch(GREETING, 0, 1)));
    }

    private Future<Void> remember(Batch batch) {
      return batch.shard() == GREETING ? Future.succeededFuture() : memory.write(batch);
    }

    @Override
    public Future<Void> write(Batch batch) {
      return sink.write(batch);
    }

    @Override
    public Future<EventPage> read(EventQuery query) {
      return memory.read(query);
    }

    @Override
    public Future<String> endCursor() {
      return memory.endCursor();
    }

    @Override
    public Runnable onAppend(Runnable listener) {
      return memory.onAppend(listener);
    }

    @Override
    public Future<Void> close() {
      return sink.close();
    }
  }
}
