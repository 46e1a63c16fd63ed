package io.shardbus.junit5;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;

/**
 * A bus for a test, with a sink that remembers all events and fails if the test says so. Safe for
 * any thread.
 *
 * <p>A test that is extended with {@code VertxExtension} gets one as a parameter, behind a
 * parameter of type {@code Vertx}. It closes after the test.
 */
public final class TestBus {

  private static final int SHARDS = 2;
  private static final int RING_CAPACITY = 1024;

  private final ShardBus bus;
  private final RecordingSink sink;

  private TestBus(ShardBus bus, RecordingSink sink) {
    this.bus = bus;
    this.sink = sink;
  }

  /**
   * Starts a bus with two shards, which have rings of 1,024 events.
   *
   * @param vertx where it runs
   * @return the bus; fails as {@link ShardBus#start(Vertx, ShardBusOptions)} does
   */
  public static Future<TestBus> start(Vertx vertx) {
    return start(vertx, new ShardBusOptions().setShards(SHARDS).setRingCapacity(RING_CAPACITY));
  }

  /**
   * Starts a bus with options. The sink that they name is not used.
   *
   * @param vertx where it runs
   * @param options the options
   * @return the bus; fails as {@link ShardBus#start(Vertx, ShardBusOptions)} does
   */
  public static Future<TestBus> start(Vertx vertx, ShardBusOptions options) {
    RecordingSink sink = new RecordingMemorySink();
    return ShardBus.start(vertx, options, sink).map(bus -> new TestBus(bus, sink));
  }

  /** {@return the bus} */
  public ShardBus bus() {
    return bus;
  }

  /** {@return its sink; also a {@code ReplayableSink}, which gives what fills the rings, too} */
  public RecordingSink sink() {
    return sink;
  }

  /**
   * Lets the sink hang, and fills the ring of each shard.
   *
   * @see RecordingSink#fillRings
   */
  public void fillRings() {
    sink.fillRings(bus);
  }

  /**
   * Closes the bus. The sink heals before.
   *
   * @return as {@link ShardBus#close}
   */
  public Future<Void> close() {
    sink.heal();
    return bus.close();
  }
}
