package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.nats.client.Connection;
import io.nats.client.Nats;
import io.nats.client.api.DiscardPolicy;
import io.nats.client.api.MessageInfo;
import io.nats.client.api.StorageType;
import io.nats.client.api.StreamConfiguration;
import io.shardbus.event.Batch;
import io.shardbus.event.Headers;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.jetstream.JetStreamSinkOptions;
import io.shardbus.sink.support.PositionCursor;
import io.shardbus.testing.Attributes;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class JetStreamSinkTest extends ForgetfulServerContract {

  private final JsonObject config = new JsonObject();

  @Override
  ServerProcess server(String password) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--addr",
                "127.0.0.1",
                "--port",
                Integer.toString(port),
                "--jetstream",
                "--store_dir",
                dir.resolve("jetstream").toString()));
    if (password != null) {
      arguments.addAll(List.of("--user", "bus", "--pass", password));
    }
    return new ServerProcess(port, dir, "nats-server", arguments.toArray(String[]::new));
  }

  @Override
  ReplayableSink create(String password) {
    config.put("servers", "nats://127.0.0.1:" + port).put("timeout", timeout);
    if (password != null) {
      config.put("user", "bus").put("password", password);
    }
    return (ReplayableSink) Sinks.create(new SinkOptions("jetstream").setConfig(config));
  }

  @Override
  void loseState() throws Exception {
    nats(connection -> connection.jetStreamManagement().deleteStream("SHARDBUS"));
  }

  @Override
  void deleteData() throws Exception {
    deleteAll(dir.resolve("jetstream"));
  }

  /** Another stream of the same name, made by somebody else. */
  @Override
  void change() throws Exception {
    loseState();
    StreamConfiguration others =
        StreamConfiguration.builder()
            .name("SHARDBUS")
            .subjects("other.place", "shardbus.>")
            .storageType(StorageType.Memory)
            .duplicateWindow(Duration.ofMillis(100))
            .build();
    nats(connection -> connection.jetStreamManagement().addStream(others));
  }

  private interface Use<T> {
    T of(Connection connection) throws Exception;
  }

  private <T> T nats(Use<T> use) throws Exception {
    Connection connection = Nats.connect("nats://127.0.0.1:" + port);
    try {
      return use.of(connection);
    } finally {
      connection.close();
    }
  }

  private StreamConfiguration stream() throws Exception {
    return nats(c -> c.jetStreamManagement().getStreamInfo("SHARDBUS").getConfiguration());
  }

  @Test
  void filterThatFails_harmsNoWrites() throws Exception {
    await(sink.write(batch(1, 0, 10)));
    Future<Void> write = sink.write(batch(0, 0, 20_000));
    EventFilter failing =
        event -> {
          throw new IllegalStateException("a filter that fails");
        };
    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(() -> await(sink.read(EventQuery.of(null, 1).withFilter(failing))))
          .hasMessageContaining("a filter that fails");
      List<String> left = nats(c -> c.jetStreamManagement().getConsumerNames("SHARDBUS"));
      assertThat(left).isEmpty();
    }
    await(write);
  }

  @Test
  void cursorOfAStreamThatIsGone_missesNothingOfTheNewOne() throws Exception {
    await(sink.write(batch(0, 0, 50)));
    String cursor = await(sink.endCursor());
    nats(c -> c.jetStreamManagement().deleteStream("SHARDBUS"));
    reopen();
    await(sink.write(batch(0, 0, 30)));
    assertThat(sequences(readAll(cursor, 10), 0)).isEqualTo(range(0, 30));
  }

  /** A server that was killed can have lost what was read before. */
  @Test
  void cursorBeyondTheEnd_goesOnAtTheEnd() throws Exception {
    await(sink.write(batch(0, 0, 5)));
    PositionCursor end = PositionCursor.parse(await(sink.endCursor()), "jetstream");
    for (Integer shard : new Integer[] {null, 0}) {
      EventQuery beyond =
          EventQuery.of(end.at("all", 1_000).format("jetstream"), 10).withShard(shard);
      EventPage page = await(sink.read(beyond));
      assertThat(page.events()).isEmpty();
      int next = shard == null ? 5 : 10;
      await(sink.write(batch(0, next, 5)));
      assertThat(sequences(readAll(page.cursor(), 100), 0)).isEqualTo(range(next, next + 5));
    }
  }

  @Test
  void stream_isMadeAsConfigured() throws Exception {
    assertThat(stream().getSubjects()).containsExactly("shardbus.>");
    assertThat(stream().getDuplicateWindow()).isEqualTo(Duration.ofMinutes(10));
    assertThat(stream().getMaxAge()).isZero();
    nats(connection -> connection.jetStreamManagement().deleteStream("SHARDBUS"));
    config.put("maxAge", "1h").put("maxBytes", 1 << 20).put("duplicateWindow", "30s");
    reopen();
    assertThat(stream().getDuplicateWindow()).isEqualTo(Duration.ofSeconds(30));
    assertThat(stream().getMaxAge()).isEqualTo(Duration.ofHours(1));
    assertThat(stream().getMaxBytes()).isEqualTo(1 << 20);
  }

  @Test
  void streamOfOtherSubjects_failsToOpen() throws Exception {
    config.put("subjectPrefix", "other.place");
    ReplayableSink second = create();
    assertThatThrownBy(() -> await(second.open(context())))
        .hasMessageContaining("stream SHARDBUS takes the subjects [shardbus.>], not other.place.>");
    await(second.close());
  }

  @Test
  void eventWithoutId_isNamedByItsPlace() throws Exception {
    await(sink.write(batch(7, 4, 1)));
    assertThat(message(1).getSubject()).isEqualTo("shardbus.shard.7");
    assertThat(header(message(1), "Nats-Msg-Id")).isEqualTo("test:1:7:4");
  }

  private MessageInfo message(long sequence) throws Exception {
    return nats(c -> c.jetStreamManagement().getMessage("SHARDBUS", sequence));
  }

  private static String header(MessageInfo message, String name) {
    return message.getHeaders().getFirst(name);
  }

  /** As the NATS binding has it. */
  @Test
  void cloudEvents_areMessagesOfTheBinding() throws Exception {
    await(sink.write(new Batch(0, 0, Attributes.events(0, now()), new ProducerId("test", 1))));
    MessageInfo message = message(3);
    assertThat(header(message, "ce-id")).isEqualTo("%C3%A9%2017%25");
    assertThat(header(message, "ce-source")).isEqualTo("/shop/%22till%22");
    assertThat(header(message, "ce-datacontenttype"))
        .isEqualTo("application/json;%20charset=utf-8");
    assertThat(header(message, "content-type")).isEqualTo("application/json; charset=utf-8");
    assertThat(header(message, "traceparent"))
        .isEqualTo(Attributes.ofCloudEvent().get("traceparent"));
  }

  /** Across a restart of the bus, and from any bus. */
  @Test
  void idThatComesAgain_isStoredOnce() throws Exception {
    for (int i = 0; i < 3; i++) {
      ShardEvent event =
          new ShardEvent(i, 0, now(), Buffer.buffer("" + i), null, "id é", Headers.none());
      await(sink.write(new Batch(i, 0, List.of(event), new ProducerId("test", epoch))));
      reopen();
    }
    assertThat(readAll(10)).hasSize(1);
    assertThat(header(message(1), "Nats-Msg-Id")).isEqualTo("id%20%C3%A9");
  }

  /** The server looks for the name of its header in values too, and then gives up. */
  @Test
  void valuesThatNameTheHeaderOfTheId_doNotHideIt() throws Exception {
    Map<String, String> headers = new TreeMap<>();
    for (char c = 'a'; c <= 'z'; c++) {
      headers.put((c < 'm' ? "x-" : "ce-") + c, "Nats-Msg-Id");
    }
    for (int i = 0; i < 2; i++) {
      ShardEvent event =
          new ShardEvent(
              i, 0, now(), Buffer.buffer(), "a Nats-Msg-Id", "Nats-Msg-Id", Headers.of(headers));
      await(sink.write(new Batch(i, 0, List.of(event), new ProducerId("test", 1))));
    }
    List<StoredEvent> got = readAll(10);
    assertThat(got).hasSize(1);
    assertThat(got.get(0).event().headers()).isEqualTo(Headers.of(headers));
    assertThat(got.get(0).event().key()).isEqualTo("a Nats-Msg-Id");
    assertThat(got.get(0).event().id()).isEqualTo("Nats-Msg-Id");
  }

  @Test
  void contentTypes_areReadAsTheyWereSent() throws Exception {
    List<Map<String, String>> all =
        List.of(
            Map.of("ce-specversion", "1.0", "content-type", "a/b; c=é"),
            Map.of("ce-specversion", "1.0", "content-type", "a/b", "ce-datacontenttype", "a/b"),
            Map.of("content-type", "a/b", "ce-datacontenttype", "a/b"));
    for (int i = 0; i < all.size(); i++) {
      ShardEvent event =
          new ShardEvent(0, i, now(), Buffer.buffer("1"), null, null, Headers.of(all.get(i)));
      await(sink.write(new Batch(0, i, List.of(event), new ProducerId("test", 1))));
    }
    assertThat(readAll(10).stream().map(stored -> stored.event().headers().toMap()))
        .containsExactlyElementsOf(all);
  }

  @Test
  void messagesThatGoWhileAPageIsRead_endIt() throws Exception {
    await(sink.write(batch(0, 0, 2_000)));
    EventFilter purging =
        event -> {
          if (event.sequence() == 0) {
            try {
              nats(connection -> connection.jetStreamManagement().purgeStream("SHARDBUS"));
            } catch (Exception e) {
              throw new AssertionError(e);
            }
          }
          return true;
        };
    EventPage page = await(sink.read(EventQuery.of(null, 10_000).withFilter(purging)));
    assertThat(page.more()).isFalse();
    await(sink.write(batch(0, 2_000, 10)));
    assertThat(sequences(readAll(page.cursor(), 100), 0)).isEqualTo(range(2_000, 2_010));
  }

  @Test
  void duplicateWindow_isNotLongerThanEventsAreKept() throws Exception {
    loseState();
    config.put("maxAge", "5m");
    reopen();
    assertThat(stream().getDuplicateWindow()).isEqualTo(Duration.ofMinutes(5));
  }

  /** Those of a stream that was made with less. */
  @Test
  void shortDuplicateWindow_isWarnedOfOnce() throws Exception {
    loseState();
    add(
        StreamConfiguration.builder()
            .name("SHARDBUS")
            .subjects("shardbus.>")
            .duplicateWindow(Duration.ofSeconds(90)));
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    Logger logger = (Logger) LoggerFactory.getLogger("io.shardbus.sink.jetstream");
    logger.addAppender(log);
    try {
      reopen();
      server.kill();
      server.start();
      await(deliver(batch(0, 0, 10)));
    } finally {
      logger.detachAppender(log);
    }
    assertThat(log.list.stream().map(ILoggingEvent::getFormattedMessage))
        .filteredOn(line -> line.contains("duplicateWindow"))
        .singleElement()
        .asString()
        .contains("for 90.0 s only, not for 600.0 s");
  }

  @Test
  void foreignMessages_arePassedOver() throws Exception {
    await(sink.write(batch(0, 0, 10)));
    nats(connection -> connection.jetStream().publish("shardbus.shard.0", new byte[3]));
    await(sink.write(batch(0, 10, 10)));
    assertThat(sequences(readAll(3), 0)).isEqualTo(range(0, 20));
  }

  @Test
  void tooLargeEvent_isRefusedAlone() throws Exception {
    ShardEvent large = new ShardEvent(0, 1, 5, Buffer.buffer(new byte[1 << 20]), null);
    Batch around = batch(0, 0, 3);
    List<ShardEvent> events = List.of(around.events().get(0), large, around.events().get(2));
    assertThatThrownBy(
            () -> await(sink.write(new Batch(0, 0, events, new ProducerId("test", epoch)))))
        .cause()
        .isInstanceOfSatisfying(
            SinkException.class,
            e -> {
              assertThat(e.kind()).isEqualTo(SinkException.Kind.PARTIAL);
              assertThat(e.failed().stream()).containsExactly(1);
              assertThat(((SinkException) e.getCause()).kind())
                  .isEqualTo(SinkException.Kind.PERMANENT);
            });
    assertThat(sequences(readAll(10), 0)).containsExactly(0L, 2L);
  }

  @Test
  void fullStream_takesTheRestLater() throws Exception {
    limitMessages(5);
    assertThatThrownBy(() -> await(sink.write(batch(0, 0, 10))))
        .cause()
        .isInstanceOfSatisfying(
            SinkException.class,
            e -> {
              assertThat(e.kind()).isEqualTo(SinkException.Kind.PARTIAL);
              assertThat(e.failed().stream()).containsExactly(5, 6, 7, 8, 9);
            })
        .hasMessageContaining("maximum messages exceeded");
    limitMessages(100);
    await(sink.write(batch(0, 5, 5)));
    assertThat(sequences(readAll(100), 0)).isEqualTo(range(0, 10));
  }

  private void limitMessages(long most) throws Exception {
    StreamConfiguration limited =
        StreamConfiguration.builder(stream())
            .maxMessages(most)
            .discardPolicy(DiscardPolicy.New)
            .build();
    nats(connection -> connection.jetStreamManagement().updateStream(limited));
  }

  private void add(StreamConfiguration.Builder stream) throws Exception {
    nats(connection -> connection.jetStreamManagement().addStream(stream.build()));
  }

  /** Another stream takes the subjects: what goes there cannot be read. */
  @Test
  void eventsThatAnotherStreamTakes_areNotConfirmed() throws Exception {
    loseState();
    add(StreamConfiguration.builder().name("OTHER").subjects("shardbus.>"));
    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(() -> await(sink.write(batch(0, 0, 10))))
          .cause()
          .isInstanceOfSatisfying(
              SinkException.class,
              e -> assertThat(e.kind()).isEqualTo(SinkException.Kind.TRANSIENT));
    }
    nats(connection -> connection.jetStreamManagement().deleteStream("OTHER"));
    await(deliver(batch(0, 0, 10)));
    assertThat(sequences(readAll(100), 0)).isEqualTo(range(0, 10));
  }

  /** One that the stream never takes, by its own limits. */
  @Test
  void eventLargerThanTheStreamTakes_isRefusedAlone() throws Exception {
    List<StreamConfiguration.Builder> limits =
        List.of(
            StreamConfiguration.builder().maximumMessageSize(10_000),
            StreamConfiguration.builder().maxBytes(10_000).discardPolicy(DiscardPolicy.New));
    for (StreamConfiguration.Builder limit : limits) {
      loseState();
      add(limit.name("SHARDBUS").subjects("shardbus.>"));
      List<ShardEvent> events = new ArrayList<>(batch(0, 0, 20).events());
      events.set(7, new ShardEvent(0, 7, 7_000_000, Buffer.buffer(new byte[9_990]), null));
      await(deliver(new Batch(0, 0, events, new ProducerId("test", epoch))));
      assertThat(refused).containsExactly(7L);
      refused.clear();
      assertThat(sequences(readAll(100), 0)).hasSize(19).doesNotContain(7L);
    }
  }

  @Test
  void keyLargerThanHeadersMayBe_isRefusedAlone() throws Exception {
    List<ShardEvent> events = new ArrayList<>(batch(0, 0, 3).events());
    events.set(1, new ShardEvent(0, 1, 1_000_000, Buffer.buffer("x"), "k".repeat(70_000)));
    await(deliver(new Batch(0, 0, events, new ProducerId("test", epoch))));
    assertThat(refused).containsExactly(1L);
    assertThat(sequences(readAll(10), 0)).containsExactly(0L, 2L);
  }

  @Test
  void maxInFlight_boundsWithoutStopping() throws Exception {
    config.put("maxInFlight", 7);
    reopen();
    await(sink.write(batch(0, 0, 5000)));
    assertThat(sequences(readAll(1000), 0)).isEqualTo(range(0, 5000));
  }

  @Test
  void badServers_areRefusedWithoutShowingThem() {
    for (String bad :
        new String[] {"", "http://host", "nats://", "nats://u:hush@host", "nats://a,"}) {
      assertThatThrownBy(() -> new JetStreamSinkOptions().setServers(bad))
          .hasMessageContaining("servers")
          .hasMessageNotContaining("hush");
    }
  }
}
