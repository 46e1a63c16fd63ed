package io.shardbus.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.vertx.core.buffer.Buffer;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KeyPathTest {

  private static final long INPUTS = Long.getLong("fuzz.inputs", 50_000);
  private static final long SEED = Long.getLong("fuzz.seed", 1);
  private static final List<String> NAMES = List.of("a", "é", "");

  private static String key(String path, String json) {
    Buffer event = Buffer.buffer(json);
    JsonCheck.DEFAULT.require(event);
    return KeyPath.of(path).require(event);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "user.id;{`user`:{`id`:`u`}}",
        "@timestamp;{`@timestamp`:`u`}",
        "a b;{`a b`:`u`}",
        "['service.name'];{`service`:{`name`:`x`},`service.name`:`u`}",
        "tags[0];{`tags`:[`u`,`v`]}",
        "tags[ 1 ];{`tags`:[`v`,`u`]}",
        "[2];[`v`,{},`u`,[]]",
        "a.b[2]['c d'];{`a`:{`b`:[1,2,{`c d`:`u`}]}}",
        "a[1][0].b;{`a`:[[],[{`b`:`u`}]]}",
        "[`it's`].x;{`it's`:{`x`:`u`}}",
        "['it\\'s'];{`it's`:`u`}",
        "['\\u0061\\n'];{`a\\n`:`u`}",
        "['[0]'];{`[0]`:`u`}",
        "[''];{``:`u`}",
        "größe;{`größe`:`u`}",
        "\uD83D\uDE00.a;{`\uD83D\uDE00`:{`a`:`u`}}"
      })
  void path_leadsToTheKey(String path, String json) {
    assertThat(key(path.replace('`', '"'), json.replace('`', '"'))).isEqualTo("u");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "a;{'a':'first','a':'last'};last",
        "a;{'a':'first','x':['a'],'a':7};7",
        "a.b;{'a':{'b':1,'b':2},'a':{'b':3,'b':4}};4",
        "a.b;{'a':{'b':1},'b':2,'a':{'c':3}};none",
        "a.b;{'a':{'b':1},'a':5};none",
        "a;{'a':1,'a':null};none",
        "a;{'a':1,'a':[1]};none",
        "a;{'\\u0061':1,'b':2};1",
        "a[1];{'a':[1]};none",
        "a[0];{'a':{'0':1}};none",
        "a.0;{'a':[1]};none",
        "a;[1];none",
        "a.b;{'a':'b'};none",
        "a;{'x':'\\ud800','a':true,'y':['\\udfff']};true"
      })
  void lastMember_counts(String path, String json, String expected) {
    String text = json.replace('\'', '"');
    if (expected.equals("none")) {
      assertThatThrownBy(() -> key(path, text))
          .isInstanceOf(InvalidEventException.class)
          .hasMessage("no string, number or boolean at keyPath " + path);
    } else {
      assertThat(key(path, text)).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "``;at the end: a name is expected",
        ".a;character 1, \".a\": a name is expected",
        "a.;at the end: a name is expected",
        "a..b;character 3, \".b\": a name is expected",
        "a[;at the end: a name in quotes, or an index",
        "a[-1];character 3, \"-1]\": a name in quotes, or an index from 0",
        "a[x];character 3, \"x]\": a name in quotes",
        "a[1;at the end: ] is expected",
        "a['b;character 3, \"'b\": the quote does not end",
        "a['b'c];character 6, \"c]\": ] is expected",
        "a['\\x'];character 4, \"\\x']\": allowed are the escapes of JSON",
        "a['\\u12'];character 4, \"\\u12']\": allowed are the escapes of JSON",
        "a[9999999999];character 3, \"9999999999]\": a name in quotes, or an index from 0 to"
            + " 999999999",
        "a[0]b;character 5, \"b\": ., [ or the end is expected",
        "a]b;character 2, \"]b\": ., [ or the end is expected",
        "a'b';character 2, \"'b'\": ., [ or the end is expected",
        "a[0]bbbbbbbbbbbbbbbbbbbbbb;character 5, \"bbbbbbbbbbbbbbbbbbbb...\": "
      })
  void brokenPath_isRefusedByItsPlace(String path, String says) {
    assertThatThrownBy(() -> KeyPath.of(path))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("keyPath: " + says)
        .hasMessageEndingWith("allowed are paths such as user.id, tags[0] and ['service.name']");
  }

  /** Random JSON, with members of the same name, and random paths: as Jackson's tree has it. */
  @Test
  void key_isWhereATreeHasIt() throws Exception {
    ObjectMapper mapper =
        JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();
    SplittableRandom random = new SplittableRandom(SEED);
    int found = 0;
    for (long i = 0; i < INPUTS; i++) {
      String json = json(random, 2);
      JsonNode node = mapper.readTree(json);
      StringBuilder path = new StringBuilder();
      for (int steps = random.nextInt(1, 3); steps > 0; steps--) {
        if (random.nextInt(3) == 0) {
          int index = random.nextInt(3);
          path.append("[").append(index).append("]");
          node = node.isArray() ? node.path(index) : MissingNode.getInstance();
        } else {
          String name = NAMES.get(random.nextInt(NAMES.size()));
          boolean plain = path.length() > 0 && !name.isEmpty() && random.nextBoolean();
          path.append(plain ? "." + name : "['" + name + "']");
          node = node.path(name);
        }
      }
      String expected = node.isValueNode() && !node.isNull() ? node.asText() : null;
      Buffer bytes = Buffer.buffer("[" + json + "]").slice(1, 1 + Buffer.buffer(json).length());
      KeyPath keyPath = KeyPath.of(path.toString());
      assertThat(keyPath.in(bytes)).as("seed %d: %s in %s", SEED, path, json).isEqualTo(expected);
      found += expected == null ? 0 : 1;
    }
    assertThat(found).isGreaterThan((int) (INPUTS / 20));
  }

  private static String json(SplittableRandom random, int depth) {
    String space = random.nextInt(5) == 0 ? " \n" : "";
    int kind = random.nextInt(depth == 2 ? 5 : 0, depth == 0 ? 4 : 12);
    if (kind < 4) {
      return List.of("\"t\\\"]},\\\\\"", "-1.50", "null", "true").get(kind) + space;
    }
    StringBuilder json = new StringBuilder(kind < 7 ? "[" : "{").append(space);
    for (int n = random.nextInt(6); n > 0; n--) {
      if (kind >= 7) {
        String name = NAMES.get(random.nextInt(NAMES.size()));
        boolean escaped = !name.isEmpty() && random.nextInt(4) == 0;
        json.append('"')
            .append(escaped ? String.format("\\u%04X", (int) name.charAt(0)) : name)
            .append('"')
            .append(space)
            .append(":");
      }
      json.append(space).append(json(random, depth - 1)).append(n == 1 ? "" : ",");
    }
    return json.append(kind < 7 ? "]" : "}").append(space).toString();
  }
}
