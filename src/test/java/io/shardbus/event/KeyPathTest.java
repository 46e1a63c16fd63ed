package io.shardbus.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.buffer.Buffer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KeyPathTest {

  private static String key(String path, String json) {
    return RawEvent.parseKeyed(Buffer.buffer(json), KeyPath.of(path)).key();
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
}
