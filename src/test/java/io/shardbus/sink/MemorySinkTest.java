package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.options.OptionalLibrary;
import io.vertx.core.json.JsonObject;
import org.junit.jupiter.api.Test;

class MemorySinkTest extends SinkContract {

  private JsonObject config = new JsonObject().put("maxEvents", 2 * MANY);

  @Override
  ReplayableSink create() {
    return (ReplayableSink) Sinks.create(new SinkOptions("memory").setConfig(config));
  }

  @Override
  boolean durable() {
    return false;
  }

  @Override
  boolean seeksTimes() {
    return false;
  }

  @Test
  void oldest_goFirst() throws Exception {
    config = new JsonObject().put("maxEvents", 100);
    reopen();
    await(sink.write(batch(0, 0, 250)));
    assertThat(sequences(readAll(1000), 0)).isEqualTo(range(150, 250));
  }

  @Test
  void cursorOfAnEarlierRun_missesNothingOfThisOne() throws Exception {
    await(sink.write(batch(0, 0, 50)));
    String cursor = await(sink.endCursor());
    reopen();
    await(sink.write(batch(0, 0, 30)));
    assertThat(sequences(readAll(cursor, 10), 0)).isEqualTo(range(0, 30));
  }

  @Test
  void unknownNames_areRefused() {
    assertThatThrownBy(() -> Sinks.create(new SinkOptions("memry")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("memry")
        .hasMessageContaining("eventbus, jetstream, kafka, log, memory, noop, redis");
    config = new JsonObject().put("maxEvent", 1);
    assertThatThrownBy(this::create).hasMessageContaining("maxEvent");
  }

  @Test
  void missingLibrary_isNamed() {
    OptionalLibrary.require("java.lang.String", "a:b");
    assertThatThrownBy(() -> OptionalLibrary.require("no.such.Thing", "group:artifact"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("group:artifact");
  }
}
