package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.Ack;
import io.shardbus.event.ArraySplitter;
import io.shardbus.event.Headers;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.JsonCheck;
import io.shardbus.event.LineSplitter;
import io.shardbus.event.ProducerId;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.EventFilter;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.support.EventJson;
import io.shardbus.sink.support.PositionCursor;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What clients write, nearly right, straight into the parsers: each takes it or refuses it in its
 * own way, and what is taken means the same again. {@code -Dfuzz.inputs} and {@code -Dfuzz.seed}
 * are for long runs.
 */
@Tag("once")
class ParserFuzzTest {

  private static final long INPUTS = Long.getLong("fuzz.inputs", 100_000);
  private static final long SEED = Long.getLong("fuzz.seed", 1);

  private static final List<String> TEXTS =
      List.of(
          "{\"a\":{\"b\":[1,2.5e-3,true,null,\"\\u00e9\\n\"]}}",
          "[[],{},\"\",-0,1E400,\"\\ud83d\\ude00\"]",
          "{\"n\":0}\r\n\n\"é\"\n[1,2]\n3",
          "@.user == 'u1' && !(@.n >= 3 || @.x[0].y < -1.5)",
          "@.a.b",
          "$time >= '2026-11-30T09:30:00Z' && @['n'] in [{\"a\":[1e5, null]}, 'x'] || !$headers.x",
          "1memory;0=17,a-b=4,12=999999999999999999",
          "user.id",
          "a.b[0]['c d'][\"e\"]",
          "delivered",
          "{\"key\":\"k\\u00e9\",\"id\":\"i\",\"headers\":{\"a-b\":\"1\"},\"event\": {\"n\":[1,2]}"
              + " }",
          "{\"text\":\"a\\n\\\"b\",\"producer\":\"p\",\"time\":null}",
          "{\"base64\":\"/wAB\",\"headers\":{}}",
          "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\",\"n\":7,\"data\":[1]}",
          "[{\"id\":\"2\",\"datacontenttype\":\"text/plain\",\"data\":\"x\"},{\"data_base64\":\"/w==\"}]",
          "\"a%20\\\"b%C3%A9%\"");

  private static final String PIECES = "{}[]\"\\,:.0123456789-+eE@$&|!()<>=~'; \t\r\n\u0000aué";

  private final SplittableRandom random = new SplittableRandom(SEED);

  @Test
  void anyInput_isTakenOrRefusedInOrder() {
    for (long i = 0; i < INPUTS; i++) {
      byte[] input = mutated();
      try {
        switch ((int) (i % 9)) {
          case 0 -> json(input);
          case 1 -> lines(input);
          case 2 -> filter(input);
          case 3 -> cursor(input);
          case 4 -> envelope(input);
          case 5 -> cloudEvent(input);
          case 6 -> array(input);
          case 7 -> header(input);
          default -> parameters(input);
        }
      } catch (RuntimeException | Error e) {
        throw new AssertionError(
            "input " + i + " of seed " + SEED + ": " + Base64.getEncoder().encodeToString(input),
            e);
      }
    }
  }

  private byte[] mutated() {
    byte[] text = TEXTS.get(random.nextInt(TEXTS.size())).getBytes(StandardCharsets.UTF_8);
    for (int changes = random.nextInt(5); changes > 0; changes--) {
      int at = text.length == 0 ? 0 : random.nextInt(text.length);
      switch (random.nextInt(5)) {
        case 0 -> text = spliced(text, at, Math.min(text.length, at + random.nextInt(4)), piece());
        case 1 -> text = spliced(text, at, at, piece());
        case 2 -> text = Arrays.copyOf(text, at);
        case 3 -> text = spliced(text, at, at, Arrays.copyOfRange(text, at / 2, at));
        default -> text = spliced(text, at, at, new byte[] {(byte) random.nextInt(256)});
      }
    }
    return text;
  }

  private byte[] piece() {
    int from = random.nextInt(PIECES.length());
    int to = Math.min(PIECES.length(), from + 1 + random.nextInt(2));
    return PIECES.substring(from, to).getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] spliced(byte[] text, int from, int to, byte[] with) {
    return Buffer.buffer()
        .appendBytes(text, 0, from)
        .appendBytes(with)
        .appendBytes(text, to, text.length - to)
        .getBytes();
  }

  private static String text(byte[] input) {
    return new String(input, StandardCharsets.UTF_8);
  }

  /** What is taken as JSON can be read as JSON. */
  private static void json(byte[] input) {
    Buffer bytes = Buffer.buffer(input);
    try {
      RawEvent.parse(bytes);
    } catch (InvalidEventException e) {
      return;
    }
    Json.decodeValue(bytes);
  }

  /** In whatever chunks they come, the lines are the same. */
  private void lines(byte[] input) {
    List<Buffer> whole = new ArrayList<>();
    LineSplitter atOnce = new LineSplitter(1_000);
    atOnce.feed(Buffer.buffer(input), whole::add);
    atOnce.end(whole::add);
    List<Buffer> pieces = new ArrayList<>();
    LineSplitter chunked = new LineSplitter(1_000);
    for (int at = 0; at < input.length; ) {
      int end = Math.min(input.length, at + 1 + random.nextInt(6));
      chunked.feed(Buffer.buffer(Arrays.copyOfRange(input, at, end)), pieces::add);
      at = end;
    }
    chunked.end(pieces::add);
    if (!pieces.equals(whole)) {
      throw new AssertionError(pieces + " instead of " + whole);
    }
  }

  private void array(byte[] input) {
    List<Buffer> whole = elements(input, input.length + 1);
    List<Buffer> pieces = elements(input, 1 + random.nextInt(6));
    if (!pieces.equals(whole)) {
      throw new AssertionError(pieces + " instead of " + whole);
    }
  }

  /** As far as the input is an array. */
  private static List<Buffer> elements(byte[] input, int chunk) {
    List<Buffer> elements = new ArrayList<>();
    ArraySplitter splitter = new ArraySplitter(1_000);
    try {
      for (int at = 0; at < input.length; at += chunk) {
        int end = Math.min(input.length, at + chunk);
        splitter.feed(Buffer.buffer(Arrays.copyOfRange(input, at, end)), elements::add);
      }
      splitter.end(elements::add);
    } catch (InvalidEventException e) {
      elements.add(Buffer.buffer(String.valueOf(e.getMessage())));
    }
    return elements;
  }

  /** What is taken can be read and sent again, and is the same then. */
  private static void envelope(byte[] input) {
    EventReader reader = new EnvelopeReader(new EventKeys(null, null, 100, JsonCheck.DEFAULT));
    RawEvent event;
    try {
      event = reader.read(Buffer.buffer(input));
    } catch (InvalidEventException e) {
      return;
    }
    Buffer line = Buffer.buffer();
    EventJson.appendLine(line, stored(event));
    RawEvent again = reader.read(line);
    assertThat(line.toString()).doesNotContain("\n");
    assertSame(again, event);
    assertThat(again.buffer()).isEqualTo(event.buffer());
  }

  private static void cloudEvent(byte[] input) {
    EventReader reader =
        new CloudEventReader(new EventKeys(null, null, 100, JsonCheck.DEFAULT), Headers.none());
    RawEvent event;
    try {
      event = reader.read(Buffer.buffer(input));
    } catch (InvalidEventException e) {
      return;
    }
    Buffer json = Buffer.buffer();
    CloudEventJson.append(json, stored(event));
    RawEvent again = reader.read(json);
    assertSame(again, event);
    assertThat(again.buffer().toString().strip()).isEqualTo(event.buffer().toString().strip());
  }

  private static StoredEvent stored(RawEvent event) {
    return new StoredEvent(
        new ProducerId("p", 1),
        new ShardEvent(0, 0, 1, event.buffer(), event.key(), event.id(), event.headers()));
  }

  private static void assertSame(RawEvent event, RawEvent expected) {
    assertThat(event.key()).isEqualTo(expected.key());
    assertThat(event.id()).isEqualTo(expected.id());
    assertThat(event.headers()).isEqualTo(expected.headers());
  }

  private static void header(byte[] input) {
    String value = new String(input, StandardCharsets.ISO_8859_1);
    try {
      HeaderText.percentDecoded("x", value);
      HeaderText.unquote(HeaderText.of("x", value));
    } catch (IllegalArgumentException e) {
      assertThat(e).hasMessageContaining("header x");
    }
  }

  private static void filter(byte[] input) {
    EventFilter filter;
    try {
      filter = JsonFilter.parse(text(input));
    } catch (IllegalArgumentException e) {
      return;
    }
    for (String event :
        List.of("{\"a\":{\"b\":1},\"user\":\"u1\",\"n\":1e999}", "[1]", "no JSON")) {
      filter.test(new ShardEvent(0, 0, 1, Buffer.buffer(event), null));
    }
  }

  private void cursor(byte[] input) {
    String text =
        random.nextInt(4) == 0
            ? text(input)
            : Base64.getUrlEncoder().withoutPadding().encodeToString(input);
    PositionCursor cursor;
    try {
      cursor = PositionCursor.parse(text, "memory");
    } catch (IllegalArgumentException e) {
      return;
    }
    if (!PositionCursor.parse(cursor.format("memory"), "memory").equals(cursor)) {
      throw new AssertionError(cursor);
    }
  }

  /** What is taken means what was written. */
  private void parameters(byte[] input) {
    String name = List.of("ack", "key", "keyPath", "idPath").get(random.nextInt(4));
    String text = text(input);
    IngestRequest request;
    try {
      request =
          IngestRequest.of(
              MultiMap.caseInsensitiveMultiMap().add(name, text),
              MultiMap.caseInsensitiveMultiMap(),
              BodyFormat.LINES,
              Ack.NONE,
              GatewayOptions.DEFAULT_MAX_KEY_BYTES,
              JsonCheck.DEFAULT,
              new KeptHeaders(""));
    } catch (IllegalArgumentException e) {
      assertThat(name.equals("key") && !text.contains("\uFFFD")).as("any text is a key").isFalse();
      return;
    }
    switch (name) {
      case "ack" -> assertThat(request.ack().name()).isEqualToIgnoringCase(text);
      case "key" ->
          assertThat(request.reader().read(Buffer.buffer("1")).hash())
              .isEqualTo(RawEvent.of(Buffer.buffer("2"), text).hash());
      default -> {
        if (text.contains("[")) {
          assertThatThrownBy(() -> request.reader().read(Buffer.buffer("0")))
              .isInstanceOf(InvalidEventException.class);
          return;
        }
        // An event in which the key stands where the path says.
        String[] names = text.split("\\.", -1);
        Object event = "here";
        for (int i = names.length - 1; i >= 0; i--) {
          event = new JsonObject().put(names[i] + "x", 1).put(names[i], event);
        }
        RawEvent taken = request.reader().read(((JsonObject) event).toBuffer());
        assertThat(name.equals("keyPath") ? taken.key() : taken.id()).isEqualTo("here");
        Buffer without = new JsonObject().put(names[0] + "x", 1).toBuffer();
        assertThatThrownBy(() -> request.reader().read(without))
            .isInstanceOf(InvalidEventException.class);
      }
    }
  }
}
