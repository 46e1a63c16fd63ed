package io.shardbus.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

class RescueTest {

  @Test
  void callThatFailsAgain_isMadeAgainAfterAPause() {
    AtomicInteger calls = new AtomicInteger();
    Rescue.Call call =
        new Rescue.Call(
            () -> {
              if (calls.incrementAndGet() <= 50) {
                throw new IllegalStateException("not yet");
              }
            });
    long begun = System.nanoTime();
    call.ask();
    Awaitility.await().until(() -> calls.get() > 50);
    // 50 pauses of 10 ms. Other calls for help in this JVM may end some of them early.
    assertThat(System.nanoTime() - begun).isGreaterThan(100_000_000);
  }
}
