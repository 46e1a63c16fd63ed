package io.shardbus.eventbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.Ack;
import io.shardbus.event.Outcome;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.sink.ClusteredNode;
import io.shardbus.testing.Ports;
import io.shardbus.testing.Source;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Publishers on another node than the bus. */
@Tag("backend")
class EventBusPublisherClusterTest {

  private final RecordingSink sink = new RecordingSink();
  private Vertx here;
  private Vertx there;

  @BeforeEach
  void start() throws Exception {
    int port = Ports.free();
    String cluster = UUID.randomUUID().toString();
    here = ClusteredNode.start(cluster, port);
    there = ClusteredNode.start(cluster, port);
  }

  @AfterEach
  void stop() throws Exception {
    await(there.close());
    await(here.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private static Future<ShardBus> bus(Vertx node, RecordingSink into) {
    ShardBusOptions options =
        new ShardBusOptions().setShards(2).setRingCapacity(1024).setRouters(2);
    options.getBatch().setMinSize(1).setMaxSize(200);
    return ShardBus.start(node, options, into);
  }

  @ParameterizedTest
  @EnumSource(
      value = Ack.class,
      names = {"ACCEPTED", "DELIVERED"})
  void twoPublishers_areSlowedDownByAStalledSink(Ack ack) throws Exception {
    AtomicReference<Promise<Void>> gate = new AtomicReference<>(Promise.promise());
    sink.behave(batch -> gate.get().future());
    ShardBus bus = await(bus(there, sink));
    EventBusPublisherOptions options =
        new EventBusPublisherOptions().setAck(ack).setMaxInFlightEvents(2_000).setBatchEvents(200);
    Source one = new Source("one", 50_000);
    Source two = new Source("two", 50_000);
    Future<?> done =
        Future.all(
            one.pumpInto(here, EventBusPublisher.create(here, options)),
            two.pumpInto(there, EventBusPublisher.create(there, options)));
    AtomicReference<Integer> before = new AtomicReference<>(-1);
    Awaitility.await()
        .pollInterval(Duration.ofMillis(500))
        .until(() -> one.written() > 0 && before.getAndSet(one.written()) == one.written());
    assertThat(one.written() + two.written()).isLessThan(10_000);
    Promise<Void> open = gate.get();
    sink.heal();
    open.complete();
    await(done);
    await(bus.flush());
    one.assertTruthful(sink);
    two.assertTruthful(sink);
    assertThat(one.reasons()).isEmpty();
    assertThat(two.reasons()).isEmpty();
    assertThat(sink.count()).isEqualTo(100_000);
    assertThat(one.maxUnsettled()).isLessThanOrEqualTo(2_000);
  }

  /** Stalls after 10,000 events, so that some are left for whoever comes next. */
  private Promise<Void> gateAfterTenThousand() {
    Promise<Void> gate = Promise.promise();
    sink.behave(batch -> sink.count() < 10_000 ? Future.succeededFuture() : gate.future());
    return gate;
  }

  private static void awaitClosing(ShardBus bus, Promise<Void> gate, Future<Void> closed)
      throws Exception {
    Awaitility.await().until(() -> bus.shards().isClosed());
    gate.complete();
    await(closed);
  }

  @Test
  void busThatMovesToAnotherNode_isFound() throws Exception {
    Promise<Void> gate = gateAfterTenThousand();
    ShardBus bus = await(bus(there, sink));
    Source source = new Source("a", 100_000);
    Future<Void> done = source.pumpInto(here, EventBusPublisher.create(here));
    Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> sink.count() >= 10_000);
    awaitClosing(bus, gate, bus.close());
    RecordingSink next = new RecordingSink();
    ShardBus second = await(bus(here, next));
    await(done);
    await(second.flush());
    source.assertTruthful(sink, next);
    // A message that had not arrived when the router left is never answered.
    assertThat(source.reasons().keySet()).isSubsetOf(Outcome.UNKNOWN);
    assertThat(next.count()).isPositive();
  }

  @Test
  void nodeThatLeaves_leavesNothingUntold() throws Exception {
    Promise<Void> gate = gateAfterTenThousand();
    ShardBus bus = await(bus(there, sink));
    Source source = new Source("a", 100_000);
    Future<Void> done =
        source.pumpInto(
            here,
            EventBusPublisher.create(
                here,
                new EventBusPublisherOptions()
                    .setAck(Ack.DELIVERED)
                    .setTimeout(Duration.ofSeconds(10))));
    Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> sink.count() >= 10_000);
    awaitClosing(bus, gate, there.close());
    RecordingSink next = new RecordingSink();
    ShardBus second = await(bus(here, next));
    await(done);
    await(second.flush());
    source.assertTruthful(sink, next);
    assertThat(next.count()).as("%s, first %s", source.reasons(), sink.count()).isPositive();
  }
}
