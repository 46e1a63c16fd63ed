package io.shardbus.sink.support;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import org.junit.jupiter.api.Test;

class InFlightTest {

  private final InFlight inFlight = new InFlight();

  @Test
  void operationsThatGiveNoFuture_holdNoClosingUp() {
    assertThat(inFlight.run(() -> null).failed()).isTrue();
    AssertionError error = new AssertionError("failed");
    assertThat(
            inFlight
                .run(
                    () -> {
                      throw error;
                    })
                .cause())
        .isSameAs(error);
    Promise<Void> last = Promise.promise();
    inFlight.run(last::future);
    Future<Void> closed = inFlight.close();
    assertThat(closed.isComplete()).isFalse();
    last.complete();
    assertThat(closed.succeeded()).isTrue();
    assertThat(inFlight.run(last::future).failed()).isTrue();
  }
}
