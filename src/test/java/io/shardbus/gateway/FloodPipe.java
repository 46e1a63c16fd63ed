package io.shardbus.gateway;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.file.OpenOptions;
import io.vertx.core.parsetools.RecordParser;
import io.vertx.core.streams.WriteStream;

/**
 * Streams the lines of a file into a bus whose sink stops now and then, as a program with a small
 * heap. Prints how many were delivered.
 */
final class FloodPipe {

  private FloodPipe() {}

  public static void main(String[] args) throws Exception {
    Vertx vertx = Vertx.vertx();
    ShardBus bus =
        ShardBus.start(
                vertx,
                new ShardBusOptions().setShards(2).setRingCapacity(4096),
                new FloodServer.StallingSink())
            .await();
    Promise<Void> done = Promise.promise();
    vertx.runOnContext(
        now ->
            vertx
                .fileSystem()
                .open(args[0], new OpenOptions())
                .onFailure(done::fail)
                .onSuccess(
                    file -> {
                      WriteStream<RawEvent> into = bus.writeStream();
                      RecordParser lines = RecordParser.newDelimited("\n", file);
                      lines.endHandler(end -> into.end().onComplete(done));
                      lines.handler(
                          line -> {
                            into.write(RawEvent.of(line));
                            if (into.writeQueueFull()) {
                              lines.pause();
                              into.drainHandler(room -> lines.resume());
                            }
                          });
                    }));
    done.future().compose(end -> bus.flush()).await();
    System.out.println(bus.stats().total().delivered());
    vertx.close().await();
  }
}
