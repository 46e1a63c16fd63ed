package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.options.OptionalLibrary;
import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.util.List;
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
  void cursorThatIsTooFarBack_isToldHowManyEventsAreGone() throws Exception {
    config = new JsonObject().put("maxEvents", 100);
    reopen();
    await(Future.all(sink.write(batch(0, 0, 30)), sink.write(batch(1, 0, 30))));
    EventPage first = await(sink.read(EventQuery.of(null, 10)));
    await(sink.write(batch(0, 30, 80))); // 40 go
    EventPage rest = await(sink.read(EventQuery.of(first.cursor(), 1_000)));
    assertThat(first.missed()).isZero();
    assertThat(first.events().size() + rest.missed() + rest.events().size()).isEqualTo(140);
    assertThat(rest.events()).hasSize(100);
    assertThat(await(sink.read(EventQuery.of(rest.cursor(), 10))).missed()).isZero();
    assertThat(await(sink.read(EventQuery.of(null, 10))).missed()).isZero();
  }

  /** A program can hand its sink to one bus after the other. Each counts from 0. */
  @Test
  void nextBus_isNoRepetition() throws Exception {
    await(sink.write(batch(0, 0, 10)));
    epoch++;
    await(sink.write(batch(0, 0, 5)));
    await(sink.write(batch(0, 0, 5)));
    assertThat(readAll(100)).hasSize(15);
  }

  @Test
  void storage_tellsSizeAndTimes() throws Exception {
    assertThat(sink.storage()).isEqualTo(new Storage(0, null, null, null));
    await(Future.all(sink.write(batch(0, 1, 3)), sink.write(batch(1, 0, 3))));
    long bytes = readAll(10).stream().mapToLong(stored -> stored.event().size()).sum();
    assertThat(sink.storage()).isEqualTo(new Storage(bytes, 1L, 3_000_000L, null));
  }

  @Test
  void order_byTimestampHoldsFromPageToPage() throws Exception {
    await(sink.write(batch(0, 0, 50)));
    await(sink.write(batch(1, 0, 50)));
    EventQuery sorted = EventQuery.of(null, 7).withOrder(EventQuery.Order.TIMESTAMP);
    List<Long> times = walk(sorted).stream().map(e -> e.event().timestamp()).toList();
    assertThat(times).hasSize(100).isSorted();
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
        .hasMessageContaining("eventbus, file, http, jetstream, kafka, log, memory, noop, redis");
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
