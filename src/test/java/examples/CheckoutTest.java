package examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.junit5.TestBus;
import io.shardbus.sink.SinkException;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.junit5.VertxExtension;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(VertxExtension.class)
class CheckoutTest {
  @Test
  void eventsOfAUser_keepTheirOrder(Vertx vertx, TestBus test) {
    test.bus().ingest(RawEvent.of(Buffer.buffer("basket"), "user-7"));
    test.bus().ingest(RawEvent.of(Buffer.buffer("order"), "user-7"));
    test.sink().await(2); // blocks until two events are delivered
    assertThat(test.sink().texts("user-7")).containsExactly("basket", "order");
  }

  @Test
  void fullBus_refusesUntilTheSinkHeals(Vertx vertx, TestBus test) {
    test.fillRings();
    assertThat(test.bus().ingest(RawEvent.of("1")).outcome()).isEqualTo(Outcome.BACKPRESSURE);
    var waits = test.bus().ingestAwait(RawEvent.of("2"));
    test.sink().heal();
    assertThat(waits.await().accepted()).isTrue();
  }

  @Test
  void eventThatTheSinkRefuses_isKeptAside(Vertx vertx, TestBus test) {
    test.sink().fail(SinkException.permanentFailure("no such table"));
    test.bus().ingest(RawEvent.of("1"));
    test.bus().flush().await();
    assertThat(test.bus().stats().deadLettersKept()).isOne();
  }
}
