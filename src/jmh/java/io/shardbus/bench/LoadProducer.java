package io.shardbus.bench;

import io.shardbus.ShardBus;
import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;
import java.util.concurrent.locks.LockSupport;

/**
 * Offers the events of a load when they are due, whether the bus takes them or not. Where the
 * thread is late it catches up, so an event's delay counts from when it was due.
 */
final class LoadProducer implements AutoCloseable {

  private static final int BYTES = 128;
  private static final long PAUSE_NANOS = 200_000;

  private final ShardBus bus;
  private final LoadShape shape;
  private final long start = System.nanoTime();
  private final Loop loop;

  /** These belong to the loop. */
  private long last = start;

  private double due;
  private long offered;

  LoadProducer(ShardBus bus, LoadShape shape) {
    this.bus = bus;
    this.shape = shape;
    loop = new Loop("load", this::offer);
  }

  /** When it began, by {@link System#nanoTime}. */
  long start() {
    return start;
  }

  /** When an event was due, by {@link System#nanoTime}. */
  static long dueAt(Buffer payload) {
    return payload.getLong(0);
  }

  private void offer() {
    long now = System.nanoTime();
    due += shape.at((now - start) / 1e9) * (now - last) / 1e9;
    long events = (long) due - offered;
    for (long i = 1; i <= events; i++) {
      Buffer payload = Buffer.buffer(new byte[BYTES]).setLong(0, last + (now - last) * i / events);
      bus.ingest(RawEvent.of(payload));
    }
    offered += events;
    last = now;
    LockSupport.parkNanos(PAUSE_NANOS);
  }

  @Override
  public void close() {
    loop.close();
  }
}
