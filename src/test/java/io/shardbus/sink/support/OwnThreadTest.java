package io.shardbus.sink.support;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class OwnThreadTest {

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  @Test
  void answer_comesAlsoIfTheCallersVertxIsClosed() throws Exception {
    OwnThread thread = new OwnThread("test", "the test is");
    CompletableFuture<String> held = new CompletableFuture<>();
    Vertx vertx = Vertx.vertx();
    Promise<Future<String>> begun = Promise.promise();
    vertx.runOnContext(now -> begun.complete(thread.call(held::get)));
    Future<String> answer = await(begun.future());
    await(vertx.close());
    held.complete("done");
    assertThat(await(answer)).isEqualTo("done");
    await(thread.end(() -> null));
  }
}
