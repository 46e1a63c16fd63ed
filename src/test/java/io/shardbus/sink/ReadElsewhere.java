package io.shardbus.sink;

import io.shardbus.event.Batch;
import io.shardbus.event.EventTime;
import io.shardbus.event.Headers;
import io.shardbus.event.JsonCheck;
import io.shardbus.event.JsonMembers;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** A sink that cannot be read back, and a memory sink with what arrived where it writes to. */
final class ReadElsewhere implements ReplayableSink {

  private final Sink written;
  private final ReplayableSink memory;
  private final Supplier<Future<Void>> beforeRead;

  /**
   * @param beforeRead brings what has arrived into the memory sink
   */
  ReadElsewhere(Sink written, ReplayableSink memory, Supplier<Future<Void>> beforeRead) {
    this.written = written;
    this.memory = memory;
    this.beforeRead = beforeRead;
  }

  static ReplayableSink memory() {
    JsonObject config = new JsonObject().put("maxEvents", 2 * ReadContract.MANY);
    return (ReplayableSink) Sinks.create(new SinkOptions("memory").setConfig(config));
  }

  /** An envelope line as the batch of one event that it was. */
  static Batch batch(Buffer line) {
    JsonMembers members = JsonMembers.of(line, JsonCheck.STORED);
    Map<String, String> headers = new HashMap<>();
    JsonMembers given = members.object("headers");
    given.names().forEach(name -> headers.put(name, given.string(name)));
    Buffer payload =
        members.names().contains("event")
            ? members.raw("event")
            : members.names().contains("text") ? members.text("text") : members.base64("base64");
    int shard = Integer.parseInt(members.raw("shard").toString());
    long sequence = Long.parseLong(members.raw("sequence").toString());
    ShardEvent event =
        new ShardEvent(
            shard,
            sequence,
            EventTime.parse(members.string("time")),
            payload,
            members.string("key"),
            members.string("id"),
            Headers.of(headers));
    long epoch = Long.parseLong(members.raw("epoch").toString());
    return new Batch(
        shard, sequence, List.of(event), new ProducerId(members.string("producer"), epoch));
  }

  @Override
  public String name() {
    return written.name();
  }

  @Override
  public Future<Void> open(SinkContext context) {
    return memory.open(context).compose(done -> written.open(context));
  }

  @Override
  public Future<Void> write(Batch batch) {
    return written.write(batch);
  }

  @Override
  public Future<EventPage> read(EventQuery query) {
    return beforeRead.get().compose(done -> memory.read(query));
  }

  @Override
  public Future<String> endCursor() {
    return beforeRead.get().compose(done -> memory.endCursor());
  }

  @Override
  public Runnable onAppend(Runnable listener) {
    return memory.onAppend(listener);
  }

  @Override
  public Future<Void> close() {
    return written.close();
  }
}
