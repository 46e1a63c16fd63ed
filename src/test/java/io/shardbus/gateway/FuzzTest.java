package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Requests that are nearly right, from a seed: each must be answered, and never as if it were the
 * server's fault. {@code -Dfuzz.cases} and {@code -Dfuzz.seed} are for long runs.
 */
@Tag("slow")
class FuzzTest {

  private static final int CASES = Integer.getInteger("fuzz.cases", 10_000);
  private static final long SEED = Long.getLong("fuzz.seed", 1L);

  private static final List<String> PIECES =
      List.of(
          "%",
          "%zz",
          "%00",
          "%c3%28",
          "&",
          "=",
          "#",
          "?",
          "/",
          "//",
          "..",
          ";",
          "+",
          "\"",
          "'",
          "{",
          "}",
          "[",
          "]",
          "\\",
          "\\ud800",
          "-1",
          "0",
          "99999999999999999999",
          "1e999",
          "null",
          "true",
          "NaN",
          "\t",
          ",",
          ":",
          "@",
          "$",
          "@.a",
          "&&",
          "||",
          "!",
          "(",
          ")",
          "~",
          "é",
          "\u0000",
          "\u007f",
          "x".repeat(300));

  private static final List<String> TARGETS =
      List.of(
          "GET /v1/events?limit=5&order=timestamp",
          "GET /v1/events?cursor=CURSOR",
          "GET /v1/events?filter=@.a%20==%20'b'",
          "GET /v1/dead-letters?after=1&limit=5",
          "GET /v1/tail?from=start",
          "GET /v1/tail?cursor=CURSOR",
          "GET /v1/ingest?ack=accepted",
          "GET /v1/stats",
          "DELETE /v1/shards/77?wait=false",
          "DELETE /v1/dead-letters/5",
          "POST /v1/shards",
          "POST /v1/dead-letters/replay",
          "POST /v1/events?key=a&ack=accepted",
          "POST /v1/events?keyPath=a.b&ack=delivered");

  private static final List<String> BODIES =
      List.of(
          "{\"count\":0}",
          "{\"ids\":[1,2]}",
          "{\"a\":{\"b\":\"c\"}}",
          "{\"n\":0}\r\n\n\"é\"\n[1,2]\n3",
          "1\n2\n3\n",
          "");

  private static final List<String> HEADERS =
      List.of(
          "Content-Type: application/json",
          "Content-Type: application/x-ndjson",
          "Content-Type: application/json; charset=utf-8",
          "Content-Encoding: gzip",
          "Authorization: Bearer abc",
          "Origin: http://127.0.0.1",
          "Last-Event-ID: CURSOR",
          "Upgrade: websocket",
          "Expect: 100-continue",
          "Accept: text/html");

  private final Random random = new Random(SEED);
  private TestGateway server;
  private String cursor;
  private Socket socket;
  private InputStream in;

  @BeforeEach
  void setUp() throws Exception {
    server = new TestGateway(new GatewayOptions());
    server.post("/v1/events?ack=delivered", "application/x-ndjson", "1\n{\"a\":\"b\"}\n3");
    cursor = server.get("/v1/events?limit=2").json().getString("cursor");
  }

  @AfterEach
  void tearDown() throws Exception {
    if (socket != null) {
      socket.close();
    }
    server.close();
  }

  @Test
  void requests_areAnsweredAndNeverWithAServerError() throws Exception {
    int[] families = new int[6];
    for (int i = 0; i < CASES; i++) {
      byte[] request = request();
      String what = "case " + i + ": " + new String(request, StandardCharsets.UTF_8);
      int status;
      try {
        status = exchange(request);
      } catch (IOException e) {
        throw new AssertionError(what, e);
      }
      assertThat(status).as(what).isNotEqualTo(500);
      families[status / 100]++;
    }
    // Most are wrong, some are right: else nothing behind the parser was reached.
    assertThat(families[2]).isGreaterThan(CASES / 100);
    assertThat(families[4]).isGreaterThan(CASES / 10);
    assertThat(server.post("/v1/events", "application/json", "1").status()).isEqualTo(202);
  }

  private byte[] request() throws IOException {
    String target = mutated(pick(TARGETS).replace("CURSOR", cursor));
    // The frame of the request stays whole, so that an answer can be expected.
    target = target.replaceAll("[\\r\\n ]", "").replaceFirst("^(GET|POST|DELETE)", "$1 ");
    byte[] body = mutated(pick(BODIES)).getBytes(StandardCharsets.UTF_8);
    StringBuilder head = new StringBuilder(target).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    for (int i = random.nextInt(3); i >= 0; i--) {
      String header = pick(HEADERS).replace("CURSOR", cursor);
      int colon = header.indexOf(':');
      head.append(header, 0, colon + 1)
          .append(mutated(header.substring(colon + 1)).replaceAll("[\\r\\n]", ""))
          .append("\r\n");
    }
    head.append("Content-Length: ").append(body.length).append("\r\n\r\n");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(head.toString().getBytes(StandardCharsets.UTF_8));
    out.write(body);
    return out.toByteArray();
  }

  private String pick(List<String> from) {
    return from.get(random.nextInt(from.size()));
  }

  /** Now and then as it is; else with up to three changes. */
  private String mutated(String text) {
    StringBuilder changed = new StringBuilder(text);
    for (int i = random.nextInt(4); i > 0; i--) {
      int at = random.nextInt(changed.length() + 1);
      int end = Math.min(changed.length(), at + 1 + random.nextInt(4));
      switch (random.nextInt(4)) {
        case 0 -> changed.insert(at, pick(PIECES));
        case 1 -> changed.delete(at, end);
        case 2 -> changed.replace(at, end, pick(PIECES));
        default -> changed.insert(at, changed.substring(at, end));
      }
    }
    return changed.toString();
  }

  /** Sends a request, reads the answer, and looks at it. */
  private int exchange(byte[] request) throws IOException {
    if (socket == null || socket.isClosed()) {
      socket = new Socket(InetAddress.getLoopbackAddress(), server.gateway.port());
      socket.setSoTimeout(20_000);
      socket.setTcpNoDelay(true);
      in = new BufferedInputStream(socket.getInputStream());
    }
    try {
      socket.getOutputStream().write(request);
    } catch (SocketTimeoutException e) {
      throw e;
    } catch (IOException e) {
      // refused before it was read to its end: the answer is there all the same
    }
    String head = head();
    int status = Integer.parseInt(head.substring(9, 12));
    if (status == 100) {
      head = head();
      status = Integer.parseInt(head.substring(9, 12));
    }
    String lower = head.toLowerCase(java.util.Locale.ROOT);
    int length = lower.indexOf("content-length: ");
    boolean last = lower.contains("connection: close") || length < 0;
    if (length >= 0) {
      String digits = lower.substring(length + 16, lower.indexOf('\r', length));
      String body = new String(in.readNBytes(Integer.parseInt(digits)), StandardCharsets.UTF_8);
      assertThat(body).doesNotContain("Exception").doesNotContain("\tat ");
      if (status >= 400 && status != 417) { // Vert.x answers other expectations by itself
        assertThat(new JsonObject(body).getString("detail")).isNotBlank();
      }
    }
    if (last) {
      socket.close();
    }
    return status;
  }

  private String head() throws IOException {
    StringBuilder head = new StringBuilder();
    while (head.length() < 4 || head.indexOf("\r\n\r\n", head.length() - 4) < 0) {
      int next = in.read();
      if (next < 0) {
        throw new EOFException("closed without an answer, after: " + head);
      }
      head.append((char) next);
    }
    return head.toString();
  }
}
