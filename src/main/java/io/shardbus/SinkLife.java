package io.shardbus;

import io.shardbus.delivery.NoContext;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.vertx.core.Future;
import org.jspecify.annotations.Nullable;

/** Opens a sink and closes it once, whether it answers, throws or hangs. */
final class SinkLife {

  private final Sink sink;
  private final String name;
  private @Nullable Future<Void> opened;
  private @Nullable Future<Void> closed;

  SinkLife(Sink sink) {
    this.sink = sink;
    name = "sink " + sink.name();
  }

  Sink sink() {
    return sink;
  }

  /** For messages. */
  String name() {
    return name;
  }

  Future<Void> open(Home home, SinkContext context) {
    Future<Void> answer = home.run(() -> sink.open(context));
    synchronized (this) {
      opened = answer;
    }
    return answer;
  }

  /**
   * Closes the sink. If the sink is still opening and then succeeds, it is closed again: before
   * that there may have been nothing to close.
   */
  synchronized Future<Void> close() {
    if (closed == null) {
      closed = NoContext.async(sink::close);
      if (opened != null && !opened.isComplete()) {
        opened.onSuccess(late -> NoContext.async(sink::close));
      }
    }
    return closed;
  }
}
