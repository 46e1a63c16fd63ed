package io.shardbus.bench;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.delivery.BatchOptions;
import io.shardbus.event.RawEvent;
import io.shardbus.sink.SinkOptions;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.util.List;

/** An embedded bus with the log behind it; each event is waited for. */
final class DeliverWay implements Way {

  private final Vertx vertx;
  private final BatchOptions batches;

  DeliverWay(Vertx vertx, BatchOptions batches) {
    this.vertx = vertx;
    this.batches = batches;
  }

  @Override
  public void open(Lots lots, Confirmations confirmations, Opened opened) throws IOException {
    TemporaryFolder folder = opened.add(new TemporaryFolder());
    ShardBusOptions options =
        new ShardBusOptions()
            .setDataDir(folder.path().toString())
            .setSink(new SinkOptions("log"))
            .setBatch(batches);
    ShardBus bus = ShardBus.start(vertx, options).await();
    opened.add(() -> bus.close().await());
    Repeat repeat = opened.add(new Repeat());
    Lots.Cycle<List<RawEvent>> events = lots.as(DeliverWay::events);
    Context context = vertx.getOrCreateContext();
    for (int i = 0; i < Lots.UNDER_WAY; i++) {
      context.runOnContext(
          go -> repeat.again(null, () -> deliver(bus, events, confirmations, repeat, context)));
    }
  }

  private static List<RawEvent> events(List<byte[]> lot) {
    return lot.stream().map(bytes -> RawEvent.of(Buffer.buffer(bytes))).toList();
  }

  private static void deliver(
      ShardBus bus,
      Lots.Cycle<List<RawEvent>> events,
      Confirmations confirmations,
      Repeat repeat,
      Context context) {
    long sentAt = System.nanoTime();
    List<RawEvent> lot = events.next();
    Future.all(lot.stream().map(bus::deliver).toList())
        .onComplete(
            all -> {
              if (all.succeeded()) {
                confirmations.add(lot.size(), sentAt);
              }
              context.runOnContext(
                  next ->
                      repeat.again(
                          all.cause(), () -> deliver(bus, events, confirmations, repeat, context)));
            });
  }
}
