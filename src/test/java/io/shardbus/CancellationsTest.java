package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class CancellationsTest {

  private final Cancellations cancellations = new Cancellations();
  private final List<String> run = new ArrayList<>();

  @Test
  void actions_runWhenTheFutureCompletes() {
    Promise<Void> cancel = Promise.promise();
    cancellations.on(cancel.future(), () -> run.add("kept"));
    cancellations.on(cancel.future(), () -> run.add("forgotten")).run();
    cancellations.on(Promise.promise().future(), () -> run.add("of another"));
    assertThat(run).isEmpty();
    cancel.fail("over");
    assertThat(run).containsExactly("kept");
    cancellations.on(cancel.future(), () -> run.add("late"));
    assertThat(run).containsExactly("kept", "late");
  }

  /** One that lives as long as the application must not gather a listener for each event. */
  @Test
  void future_getsOneListener() {
    Promise<Void> cancel = Promise.promise();
    AtomicInteger listeners = new AtomicInteger();
    Future<?> counted =
        (Future<?>)
            Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {Future.class},
                (self, method, arguments) ->
                    switch (method.getName()) {
                      case "hashCode" -> System.identityHashCode(self);
                      case "equals" -> self == arguments[0];
                      case "onComplete" -> {
                        listeners.incrementAndGet();
                        yield method.invoke(cancel.future(), arguments);
                      }
                      default -> method.invoke(cancel.future(), arguments);
                    });
    for (int i = 0; i < 1_000; i++) {
      String name = "action " + i;
      Runnable forget = cancellations.on(counted, () -> run.add(name));
      if (i > 0) {
        forget.run();
      }
    }
    assertThat(listeners).hasValue(1);
    cancel.complete();
    assertThat(run).containsExactly("action 0");
  }
}
