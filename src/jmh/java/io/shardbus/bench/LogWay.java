package io.shardbus.bench;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The log alone, as the shards of a bus use it: each has one write under way, of one lot. */
final class LogWay implements Way {

  private static final ProducerId PRODUCER =
      new ProducerId("0b5a1c0e-5d6f-4f0a-9d5c-6f2b6f1f7a10", 1);

  private final Vertx vertx;
  private final JsonObject config;

  LogWay(Vertx vertx, JsonObject config) {
    this.vertx = vertx;
    this.config = config;
  }

  @Override
  public void open(Lots lots, Confirmations confirmations, Opened opened) throws IOException {
    TemporaryFolder folder = opened.add(new TemporaryFolder());
    ReplayableSink sink = open(folder.path());
    opened.add(() -> sink.close().await());
    Repeat repeat = opened.add(new Repeat());
    for (int shard = 0; shard < Lots.UNDER_WAY; shard++) {
      new Stream(sink, shard, lots, confirmations, repeat).write();
    }
  }

  ReplayableSink open(Path folder) {
    ReplayableSink sink =
        (ReplayableSink) Sinks.create(new SinkOptions("log").setConfig(config.copy()));
    sink.open(new SinkContext(vertx, PRODUCER, folder)).await();
    return sink;
  }

  /** Writes as many lots of each shard, and waits for them. */
  static void write(ReplayableSink sink, Lots lots, int lotsOfEach) {
    List<Stream> streams = new ArrayList<>();
    for (int shard = 0; shard < Lots.UNDER_WAY; shard++) {
      streams.add(new Stream(sink, shard, lots, new Confirmations(), new Repeat()));
    }
    for (int i = 0; i < lotsOfEach; i++) {
      Future.all(streams.stream().map(stream -> sink.write(stream.next())).toList()).await();
    }
  }

  private static final class Stream {

    private final ReplayableSink sink;
    private final int shard;
    private final Lots.Cycle<List<Buffer>> lots;
    private final Confirmations confirmations;
    private final Repeat repeat;
    private long sequence;

    Stream(ReplayableSink sink, int shard, Lots lots, Confirmations confirmations, Repeat repeat) {
      this.sink = sink;
      this.shard = shard;
      this.lots = lots.as(lot -> lot.stream().map(Buffer::buffer).toList());
      this.confirmations = confirmations;
      this.repeat = repeat;
    }

    private Batch next() {
      long first = sequence;
      long now = System.currentTimeMillis() * 1_000_000;
      List<ShardEvent> events = new ArrayList<>();
      for (Buffer bytes : lots.next()) {
        events.add(new ShardEvent(shard, sequence, now + sequence, bytes, null));
        sequence++;
      }
      return new Batch(shard, first, events, PRODUCER);
    }

    void write() {
      Batch batch = next();
      long sentAt = System.nanoTime();
      sink.write(batch)
          .onComplete(
              done -> {
                if (done.succeeded()) {
                  confirmations.add(batch.size(), sentAt);
                }
                repeat.again(done.cause(), this::write);
              });
    }
  }
}
