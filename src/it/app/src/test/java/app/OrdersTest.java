package app;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.junit5.TestBus;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.junit5.VertxExtension;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** With the test kit, as it is packaged. */
@ExtendWith(VertxExtension.class)
class OrdersTest {

  @Test
  void orders_areDeliveredUnlessTheBusIsFull(Vertx vertx, TestBus test) {
    test.bus().ingest(RawEvent.of(Buffer.buffer("order"), "anna"));
    test.sink().await(1);
    assertEquals(List.of("order"), test.sink().texts("anna"));
    test.fillRings();
    assertEquals(Outcome.BACKPRESSURE, test.bus().ingest(RawEvent.of("{}")).outcome());
  }
}
