package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SinksTest {

  /** Not in the services of the tests: only those of a class loader of its own name it. */
  public static final class OwnProvider implements SinkProvider {

    @Override
    public String name() {
      return "own";
    }

    @Override
    public Sink create(JsonObject config) {
      return new Sink() {
        @Override
        public String name() {
          return "own";
        }

        @Override
        public Future<Void> open(SinkContext context) {
          return Future.succeededFuture();
        }

        @Override
        public Future<Void> write(io.shardbus.event.Batch batch) {
          return Future.succeededFuture();
        }

        @Override
        public Future<Void> close() {
          return Future.succeededFuture();
        }
      };
    }
  }

  @Test
  void providersOfTheContextClassLoader_areFoundToo(@TempDir Path dir) throws Exception {
    Path services = Files.createDirectories(dir.resolve("META-INF/services"));
    Files.writeString(services.resolve(SinkProvider.class.getName()), OwnProvider.class.getName());
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    assertThatThrownBy(() -> Sinks.create(new SinkOptions("own"))).hasMessageContaining("unknown");
    try (URLClassLoader own = new URLClassLoader(new URL[] {dir.toUri().toURL()}, before)) {
      thread.setContextClassLoader(own);
      assertThat(Sinks.create(new SinkOptions("own")).name()).isEqualTo("own");
      assertThat(Sinks.create(new SinkOptions("memory")).name()).isEqualTo("memory");
      thread.setContextClassLoader(null);
      assertThat(Sinks.create(new SinkOptions("memory")).name()).isEqualTo("memory");
    } finally {
      thread.setContextClassLoader(before);
    }
  }
}
