package examples;

import io.shardbus.event.Ack;
import io.shardbus.event.RawEvent;
import io.shardbus.eventbus.EventBusPublisher;
import io.shardbus.eventbus.EventBusPublisherOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.parsetools.RecordParser;
import io.vertx.core.streams.ReadStream;

public class LinePublisher {
  static Future<Void> publish(Vertx vertx, ReadStream<Buffer> file) {
    var options = new EventBusPublisherOptions().setAck(Ack.DELIVERED);
    var publisher = EventBusPublisher.create(vertx, options);
    var lines = RecordParser.newDelimited("\n", file);
    lines.handler(
        line -> {
          publisher.write(RawEvent.of(line)).onFailure(e -> System.err.println(line + ": " + e));
          if (publisher.writeQueueFull()) {
            lines.pause();
            publisher.drainHandler(room -> lines.resume());
          }
        });
    return Future.<Void>future(read -> lines.endHandler(end -> read.complete()))
        .compose(read -> publisher.end()); // the fate of all lines is known
  }
}
