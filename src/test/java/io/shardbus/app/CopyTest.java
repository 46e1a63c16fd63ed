package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.StoredEvent;
import io.shardbus.testing.Java;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The events of one server, copied to another by two commands. */
@Tag("once")
class CopyTest {

  private static final int KEYS = 20;

  @TempDir Path dir;
  private TestServer from;
  private TestServer to;

  @BeforeEach
  void setUp() throws Exception {
    from = new TestServer();
    to = new TestServer();
  }

  @AfterEach
  void tearDown() throws Exception {
    from.close();
    to.close();
  }

  private void fill(int count) throws Exception {
    EventGenerator generator = new EventGenerator(7);
    for (int i = 0; i < count; i++) {
      String json = generator.next();
      Buffer bytes =
          switch (i % 10) {
            case 3 -> Buffer.buffer(new JsonObject(json).encodePrettily() + "\r\n");
            case 5 -> Buffer.buffer("größe \u0001" + i);
            case 7 -> Buffer.buffer(new byte[] {(byte) i, (byte) (i >> 8), (byte) 0xff});
            case 8 -> Buffer.buffer();
            default -> Buffer.buffer(json);
          };
      RawEvent.Builder event = RawEvent.builder(bytes).key("schlüssel " + i % KEYS);
      if (i % 2 == 0) {
        event.id("ä" + i).header("n", "" + i).header("text", "\"größe\"");
      }
      TestServer.await(from.bus.ingestAwait(event.build()));
    }
    TestServer.await(from.bus.flush());
  }

  /** The events of a key, in order, each with all that it carries. */
  private static List<String> events(TestServer server, String key) throws Exception {
    List<String> all = new ArrayList<>();
    EventPage page;
    String cursor = null;
    do {
      EventQuery query = EventQuery.of(cursor, 1000).withKey(key);
      page = TestServer.await(((ReplayableSink) server.bus.sink()).read(query));
      for (StoredEvent stored : page.events()) {
        var event = stored.event();
        all.add(
            event.id()
                + " "
                + event.headers()
                + " "
                + event.payload().toString(StandardCharsets.ISO_8859_1));
      }
      cursor = page.cursor();
    } while (page.more());
    return all;
  }

  private void assertCopied(int count) throws Exception {
    TestServer.await(to.bus.flush());
    int seen = 0;
    for (int i = 0; i < KEYS; i++) {
      String key = "schlüssel " + i;
      List<String> events = events(from, key);
      assertThat(events(to, key).equals(events)).as(key).isTrue(); // too much to be shown
      seen += events.size();
    }
    assertThat(seen).isEqualTo(count);
    assertThat(to.bus.stats().total().accepted()).isEqualTo(count);
  }

  /** Also where the characters of the terminal are not those of the events. */
  @Test
  void pipe_copiesAllBytes() throws Exception {
    int count = 2_000;
    fill(count);
    Path out = dir.resolve("out");
    Path err = dir.resolve("err");
    List<Process> pipe =
        ProcessBuilder.startPipeline(
            List.of(
                command(from, "tail", "--since", "-1h", "--until", "-0s", "--envelope")
                    .redirectError(dir.resolve("tail").toFile()),
                command(to, "feed", "--envelope", "--json", "--ack", "delivered")
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())));
    for (Process process : pipe) {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).as(Files.readString(err)).isZero();
    }
    assertThat(new JsonObject(Files.readString(out)).getInteger("acked")).isEqualTo(count);
    assertCopied(count);
  }

  private static ProcessBuilder command(TestServer server, String... words) {
    List<String> all = new ArrayList<>(Java.command(Main.class.getName()));
    all.addAll(List.of(words));
    all.addAll(List.of("--url", "http://127.0.0.1:" + server.gateway.port()));
    ProcessBuilder builder = new ProcessBuilder(all);
    builder.environment().put("LC_ALL", "C");
    return builder;
  }

  @Test
  void secondCopy_takesWhatHasAnIdOnce() throws Exception {
    fill(100);
    assertThat(from.run("tail", "--from-start", "--count", "100", "--envelope")).isZero();
    String file = Files.writeString(dir.resolve("lines"), from.out).toString();
    assertThat(to.run("feed", "--envelope", "--file", file)).isZero();
    assertCopied(100);
    assertThat(to.run("feed", "--envelope", "--json", "--file", file)).isZero();
    assertThat(to.json().getInteger("acked")).isEqualTo(100);
    assertThat(to.json().getInteger("duplicates")).isEqualTo(50);
    assertThat(to.bus.stats().total().accepted()).isEqualTo(150);
  }

  @Test
  void envelope_isNotForEveryWay() {
    for (String[] words :
        new String[][] {
          {"--via", "ws"}, {"--generate", "1"}, {"--key-path", "a"}, {"--id-path", "a"}
        }) {
      String[] all = {"feed", "--envelope", words[0], words[1]};
      assertThat(to.run(all)).isEqualTo(2);
      assertThat(to.err).contains("--envelope").contains(words[0]);
    }
  }

  @Test
  void idPath_takesAnIdOnce() throws Exception {
    String lines = "{\"id\":\"a\"}\n{\"id\":\"b\"}\n{\"id\":\"a\"}\n";
    String file = Files.writeString(dir.resolve("lines"), lines).toString();
    for (String via : List.of("http", "ws")) {
      assertThat(to.run("feed", "--id-path", "id", "--file", file, "--via", via)).isZero();
      assertThat(to.out).contains(via.equals("http") ? "(1 before)" : "(3 before)");
    }
    assertThat(to.bus.stats().total().accepted()).isEqualTo(2);
  }

  @Test
  void tail_choosesByTimeKeyAndShard() throws Exception {
    fill(40);
    assertThat(from.run("tail", "--since", "-1h", "--until", "-0s", "--key", "schlüssel 1"))
        .isZero();
    assertThat(from.out.lines()).hasSize(2);
    assertThat(from.run("tail", "--from-start", "--until", "-1h")).isZero();
    assertThat(from.out).isEmpty();
    assertThat(from.run("tail", "--from-start", "--until", "-0s", "--shard", "0")).isZero();
    int first = (int) from.out.lines().count();
    assertThat(from.run("tail", "--from-start", "--until", "-0s", "--shard", "1")).isZero();
    assertThat(first + from.out.lines().count()).isEqualTo(40);
    assertThat(from.run("tail", "--since", "yesterday")).isEqualTo(2);
    assertThat(from.err).contains("since");
  }
}
