package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.gateway.TestGateway.Answer;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests of HTTP/1.1 to the letter: what is sent is what is meant, or it is refused. */
@Tag("once")
class Http1Test {

  private static final String JSON = "application/json";

  private TestGateway server;

  @BeforeEach
  void setUp() throws Exception {
    server = new TestGateway(new GatewayOptions().setBodyTimeout(Duration.ofSeconds(2)));
  }

  @AfterEach
  void tearDown() throws Exception {
    server.close();
  }

  /** Sends lines as they are, and reads until the server closes. */
  private String exchange(String request) throws Exception {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.gateway.port())) {
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }

  private static String get(String uri, String... headers) {
    String more = headers.length == 0 ? "" : String.join("\r\n", headers) + "\r\n";
    return "GET " + uri + " HTTP/1.1\r\nConnection: close\r\n" + more + "\r\n";
  }

  // ------------------------------------------------------------------ parameters

  private String keyOf(String query) throws Exception {
    assertThat(server.post("/v1/events?ack=delivered&" + query, JSON, "1").status()).isEqualTo(202);
    JsonObject page = server.get("/v1/events").json();
    int last = page.getJsonArray("events").size() - 1;
    return page.getJsonArray("events").getJsonObject(last).getString("key");
  }

  @ParameterizedTest
  @CsvSource({
    "key=a;b=c, a;b=c",
    "key=a%3Bb, a;b",
    "key=a+b, a b",
    "key=a%2Bb, a+b",
    "key=%C3%A9, é",
    "key=a=b, a=b",
    "&key=x&, x"
  })
  void key_isWhatWasSent(String query, String key) throws Exception {
    assertThat(keyOf(query)).isEqualTo(key);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "key=%C3|the query is not UTF-8",
        "key=%ED%A0%80|the query is not UTF-8",
        "key=%zz|the query has a broken escape",
        "key=%C|the query has a broken escape",
        "key=%|the query has a broken escape",
        "acks=delivered|unknown parameter \"acks\": did you mean ack? Known here: key, keyPath,"
            + " idPath, ack, array",
        "ACK=none|unknown parameter \"ACK\": did you mean",
        "key=a&key=b|key: occurs twice",
        "zzzzzzzz=1|unknown parameter \"zzzzzzzz\": Known here: key,"
      })
  void queries_areStrict(String query, String says) throws Exception {
    Answer answer = server.post("/v1/events?" + query, JSON, "1");
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.detail()).startsWith(says);
    assertThat(server.bus.stats().offered()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "/v1/events?fliter=@.a, filter",
    "/v1/events?limt=1, limit",
    "/v1/tail?form=start, from",
    "/v1/ingest?kepath=a, keyPath",
    "/v1/dead-letters?limits=1, limit"
  })
  void unknownParameters_getTheNearestName(String uri, String meant) throws Exception {
    Answer answer = server.get(uri);
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.detail()).contains("did you mean " + meant + "?");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/v1/stats?x=1", "/v1/shards?id=1"})
  void routesWithoutParameters_sayIt(String uri) throws Exception {
    assertThat(server.get(uri).detail()).endsWith(": there are none here");
  }

  /** It would hide the one of the path. */
  @Test
  void parameterNamedAsAPartOfThePath_isUnknown() throws Exception {
    Answer answer = server.send(HttpMethod.DELETE, "/v1/shards/1?id=0", Map.of(), null);
    assertThat(answer.detail()).startsWith("unknown parameter \"id\"");
    answer = server.send(HttpMethod.DELETE, "/v1/shards/%37+%2B?wait=true", Map.of(), null);
    assertThat(answer.status()).as(answer.body()).isEqualTo(404);
    assertThat(server.bus.stats().shards()).hasSize(2);
  }

  /** Java reads other digits, and a plus sign, as numbers too. */
  @ParameterizedTest
  @ValueSource(strings = {"%D9%A1", "%2B1", "1.0", "0x1", "1e1", "99999999999999999999"})
  void numbers_areDigitsAlone(String number) throws Exception {
    assertThat(server.get("/v1/events?limit=" + number).status()).isEqualTo(400);
    assertThat(server.get("/v1/dead-letters?after=" + number).status()).isEqualTo(400);
    for (String uri : new String[] {"/v1/shards/", "/v1/dead-letters/"}) {
      Answer answer = server.send(HttpMethod.DELETE, uri + number, Map.of(), null);
      assertThat(answer.status()).isEqualTo(404);
    }
    assertThat(server.bus.stats().shards()).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Content-Type: text/plain|415|application/json, text/plain",
        "Content-Encoding: gzip~Content-Encoding: gzip|415|gzip, gzip",
        "Transfer-Encoding: gzip, chunked|501|only chunked",
        "Transfer-Encoding: gzip~Transfer-Encoding: chunked|501|only chunked"
      })
  void bodiesWhoseFormIsNotClear_areRefused(String headers, int status, String says)
      throws Exception {
    String length = headers.startsWith("Transfer") ? "" : "Content-Length: 1\r\n";
    String body = length.isEmpty() ? "1\r\n1\r\n0\r\n\r\n" : "1";
    assertThat(
            exchange(
                "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    + length
                    + headers.replace("~", "\r\n")
                    + "\r\n\r\n"
                    + body))
        .startsWith("HTTP/1.1 " + status)
        .contains(says);
    assertThat(server.bus.stats().offered()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "Host: a@localhost\r\n"})
  void hostThatIsNone_isSaid(String host) throws Exception {
    assertThat(exchange("GET /v1/stats HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n"))
        .startsWith("HTTP/1.1 400")
        .contains("one header Host");
  }

  /** For the tools that ask them, they take any. */
  @ParameterizedTest
  @ValueSource(strings = {"/health/ready?x=1", "/metrics?x=1", "/?x=1", "/openapi.json?x=1"})
  void routesForTools_takeAnyParameters(String uri) throws Exception {
    assertThat(server.get(uri).status()).isEqualTo(200);
  }

  // ------------------------------------------------------------------ bodies of administration

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"count\":1.9}",
        "{\"count\":4294967297}",
        "{\"count\":-4294967295}",
        "{\"count\":\"1\"}",
        "{\"count\":1e0}",
        "{\"count\":true}",
        "{\"count\":null}",
        "{\"count\":1,\"more\":1}",
        "{}",
        "[1]",
        "{\"count\":1} {}"
      })
  void counts_areWholeNumbers(String body) throws Exception {
    Answer answer = server.post("/v1/shards", JSON, body);
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.detail()).contains("{\"count\":n} with a whole number n from 1");
    assertThat(server.bus.stats().shards()).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"{\"ids\":[1.5]}", "{\"ids\":[\"1\"]}", "{\"ids\":1}", "{\"id\":[1]}", "[]", "1"})
  void idsOfDeadLetters_areWholeNumbers(String body) throws Exception {
    assertThat(server.post("/v1/dead-letters/replay", JSON, body).status()).isEqualTo(400);
  }

  @Test
  void flags_areTrueOrFalse() throws Exception {
    Answer answer = server.send(HttpMethod.DELETE, "/v1/shards/0?wait=no", Map.of(), null);
    assertThat(answer.detail()).isEqualTo("wait: \"no\" must be true or false");
    assertThat(server.bus.stats().shards()).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource({"POST, /v1/shards", "PATCH, /v1/limits", "POST, /v1/dead-letters/replay"})
  void bodiesOfAdministration_keepTheRuleForTypes(String method, String uri) throws Exception {
    for (Map<String, String> headers :
        java.util.List.of(
            Map.of("Content-Type", "application/x-www-form-urlencoded"),
            Map.of("Content-Type", JSON, "Content-Encoding", "gzip"))) {
      Answer answer = server.send(HttpMethod.valueOf(method), uri, headers, Buffer.buffer("{}"));
      assertThat(answer.status()).isEqualTo(415);
      assertThat(answer.header("Accept-Post")).isEqualTo(JSON);
      assertThat(answer.header("Accept-Encoding")).isEqualTo("identity");
    }
  }

  @ParameterizedTest
  @CsvSource({"POST, /v1/shards", "PATCH, /v1/limits", "POST, /v1/dead-letters/replay"})
  void bodyOfAdministrationThatDoesNotEnd_isAnswered(String method, String uri) throws Exception {
    String head =
        method + " " + uri + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + JSON + "\r\n";
    assertThat(exchange(head + "Content-Length: 100\r\n\r\n{"))
        .startsWith("HTTP/1.1 408")
        .contains("gateway.bodyTimeout")
        .contains("too_slow");
    assertThat(exchange(head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n"))
        .startsWith("HTTP/1.1 400");
  }

  // ------------------------------------------------------------------ RFC 9110 and 9112

  @Test
  void everyAnswer_hasADate() throws Exception {
    String date =
        "\r\ndate: [A-Z][a-z]{2}, \\d\\d [A-Z][a-z]{2} \\d{4} \\d\\d:\\d\\d:\\d\\d GMT\r\n";
    for (String request :
        new String[] {
          get("/health/live", "Host: localhost"),
          get("/nothing", "Host: localhost"),
          get("/", "Host: localhost"),
          "nonsense\r\n\r\n"
        }) {
      assertThat(exchange(request)).containsPattern("(?i)" + date);
    }
  }

  @Test
  void hostMustBeOne() throws Exception {
    assertThat(exchange(get("/health/live", "Host: localhost", "Host: localhost")))
        .startsWith("HTTP/1.1 400")
        .contains("one header Host");
    assertThat(exchange(get("/health/live"))).startsWith("HTTP/1.1 400");
    assertThat(exchange(get("/health/live", "Host: a b"))).startsWith("HTTP/1.1 400");
    assertThat(exchange(get("/health/live", "Host: localhost"))).startsWith("HTTP/1.1 200");
    assertThat(exchange("GET /health/live HTTP/1.0\r\n\r\n")).startsWith("HTTP/1.0 200");
  }

  @Test
  void oldClients_areNotToldToGoOn() throws Exception {
    assertThat(
            exchange(
                "POST /v1/events HTTP/1.0\r\nExpect: 100-continue\r\nContent-Type: "
                    + JSON
                    + "\r\nContent-Length: 1\r\n\r\n1"))
        .startsWith("HTTP/1.0 202");
  }

  /** Two servers that read these otherwise could be set against each other. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "two lengths|Content-Length: 1\\r\\nContent-Length: 2|1",
        "lengths in a list|Content-Length: 1, 2|1",
        "length with a sign|Content-Length: +1|1",
        "negative length|Content-Length: -1|1",
        "length that is no number|Content-Length: one|1",
        "length and chunks|Content-Length: 1\\r"
            + "\\n"
            + "Transfer-Encoding: chunked|1\\r"
            + "\\n"
            + "1\\r"
            + "\\n"
            + "0\\r"
            + "\\n"
            + "\\r"
            + "\\n",
        "chunks not last|Transfer-Encoding: chunked, gzip|1",
        "unknown coding|Transfer-Encoding: zip|1",
        "space before the colon|Content-Length : 1|1",
        "bare CR in a header|X-A: a\\rb\\r\\nContent-Length: 1|1",
        "NUL in a header|X-A: a\\0b\\r\\nContent-Length: 1|1",
        "bad name|X A: a\\r\\nContent-Length: 1|1"
      })
  void ambiguousRequests_areRefused(String name, String headers, String body) throws Exception {
    String answer =
        exchange(
            "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: "
                + JSON
                + "\r\n"
                + unescaped(headers)
                + "\r\n\r\n"
                + unescaped(body));
    assertThat(answer).as(name).startsWith("HTTP/1.1 400");
    assertThat(server.bus.stats().offered()).as(name).isZero();
  }

  private static String unescaped(String text) {
    return text.replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0");
  }

  @ParameterizedTest
  @CsvSource({
    "GET http://localhost/health/live HTTP/1.1, 200",
    "get /health/live HTTP/1.1, 405",
    "OPTIONS * HTTP/1.1, 404"
  })
  void requestLines_areReadAsTheRfcSays(String line, int status) throws Exception {
    assertThat(exchange(line + "\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
        .startsWith("HTTP/1.1 " + status);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET /health/live\r\n",
        "GET /health/live HTTP/9\r\n",
        "GET /health/live HTTP/1.1\nHost: localhost\n",
        "GET /health/live HTTP/1.1 x\r\n",
        "GET /a b HTTP/1.1\r\n",
        "G\u0001T / HTTP/1.1\r\n"
      })
  void otherLines_areNoRequests(String lines) throws Exception {
    assertThat(exchange(lines + "\r\n")).containsPattern("^HTTP/1.[01] 400 ");
  }

  /** As docs/wire.md says: Vert.x decides these, and takes more than it must. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "GET  /health/live HTTP/1.1\\r\\nHost: localhost|HTTP/1.1 200",
        "GET /health/live HTTP/1.1\\r\\nHost: localhost\\r\\n: a|HTTP/1.1 200",
        "GET /health/live HTTP/1.1\\r\\nHost: localhost\\r\\nX-A: a\\r\\n b|HTTP/1.1 200",
        "GET /health/live HTTP/1.2\\r\\nHost: localhost|HTTP/1.2 501"
      })
  void whatVertxTakesOrNot(String request, String answer) throws Exception {
    assertThat(exchange(unescaped(request) + "\r\nConnection: close\r\n\r\n")).startsWith(answer);
  }

  @Test
  void pipelinedRequests_areAnsweredInOrder() throws Exception {
    String one = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    String answer = exchange(one + get("/nothing", "Host: localhost"));
    assertThat(answer.indexOf("HTTP/1.1 200")).isZero();
    assertThat(answer.indexOf("HTTP/1.1 404")).isPositive();
  }

  // ------------------------------------------------------------------ errors

  /** They are in the words of this server. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{a:1}",
        "NaN",
        "'x'",
        "[1,]",
        "01",
        "\"\\x\"",
        "{\"a\":1,,}",
        "tru",
        "\"a\nb\"",
        "[1 2]",
        "/*c*/1",
        "{\"a\"1}",
        "-",
        "1e",
        "\"\\ud8\""
      })
  void errors_haveNoTextsOfLibraries(String body) throws Exception {
    for (String uri : new String[] {"/v1/events", "/v1/events?keyPath=a", "/v1/shards"}) {
      String answer = server.post(uri, JSON, body).body();
      assertThat(answer)
          .contains("400")
          .doesNotContainIgnoringCase("source:")
          .doesNotContain("JsonReadFeature")
          .doesNotContain("JsonParser")
          .doesNotContain("token")
          .doesNotContain("was expecting");
    }
    assertThat(server.post("/v1/events", JSON, body).detail()).startsWith("not JSON");
  }

  @Test
  void textsBeyondTheParser_areNamedToo() throws Exception {
    String digits = "1".repeat(2_000);
    assertThat(server.post("/v1/events", JSON, digits).body())
        .doesNotContain("StreamReadConstraints");
    String name = "{\"" + "n".repeat(60_000) + "\":1}";
    assertThat(server.post("/v1/events", JSON, name).body())
        .doesNotContain("StreamReadConstraints");
  }
}
