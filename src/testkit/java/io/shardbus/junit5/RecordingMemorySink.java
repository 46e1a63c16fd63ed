package io.shardbus.junit5;

import io.shardbus.event.Batch;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.vertx.core.Future;

/** Hands what it records on to the sink {@code memory}, from which it can be read back. */
final class RecordingMemorySink extends RecordingSink implements ReplayableSink {

  private final ReplayableSink memory = (ReplayableSink) Sinks.create(new SinkOptions("memory"));

  @Override
  public Future<Void> open(SinkContext lent) {
    return super.open(lent).compose(done -> memory.open(lent));
  }

  @Override
  public Future<Void> write(Batch batch) {
    Future<Void> answer = super.write(batch);
    return answer == null ? null : answer.compose(done -> memory.write(batch));
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
}
