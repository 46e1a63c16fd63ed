package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.shardbus.event.RawEvent;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tails that are cut, and tails that must end. */
@Tag("once")
class TailStreamTest {

  private TestGateway server;

  @BeforeEach
  void setUp() throws Exception {
    server = new TestGateway(new GatewayOptions());
  }

  @AfterEach
  void tearDown() throws Exception {
    server.close();
  }

  /** One connection with a tail. */
  private final class Connection implements AutoCloseable {

    final Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.gateway.port());
    final BufferedReader in =
        new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));

    Connection(String query, String... headers) throws Exception {
      socket.setSoTimeout(20_000);
      String more = headers.length == 0 ? "" : String.join("\r\n", headers) + "\r\n";
      String head = "GET /v1/tail" + query + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n";
      socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
    }

    /** The next line that begins so, without its beginning. */
    String next(String beginning) throws Exception {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        if (line.startsWith(beginning)) {
          return line.substring(beginning.length()).strip();
        }
      }
      return "end";
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  private void ingest(String event) throws Exception {
    TestGateway.await(server.bus.deliver(RawEvent.of(event)));
  }

  @Test
  void clientThatIsCutBeforeItsFirstEvent_missesNothing() throws Exception {
    ingest("\"before\"");
    String id;
    try (Connection first = new Connection("")) {
      id = first.next("id:");
    }
    ingest("\"meanwhile\"");
    try (Connection second = new Connection("", "Last-Event-ID: " + id)) {
      assertThat(second.next("data: {")).contains("\"event\":\"meanwhile\"");
    }
  }

  @Test
  void position_movesOnWhenNothingIsChosen() throws Exception {
    try (Connection tail = new Connection("?filter=@.n%20==%201")) {
      String first = tail.next("id:");
      ingest("{\"n\":2}");
      String next = tail.next("id:");
      assertThat(next).isNotEqualTo(first);
      ingest("{\"n\":1}");
      try (Connection resumed = new Connection("", "Last-Event-ID: " + next)) {
        assertThat(resumed.next("data: {")).contains("\"event\":{\"n\":1}");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " "})
  void emptyId_isNone(String id) throws Exception {
    ingest("1");
    try (Connection tail = new Connection("", "Last-Event-ID:" + id)) {
      assertThat(tail.next("HTTP/1.1")).startsWith("200");
      ingest("2");
      assertThat(tail.next("data: {")).contains("\"event\":2");
    }
  }

  @Test
  void openTails_doNotHoldUpAStop() throws Exception {
    try (Connection events = new Connection("");
        Connection lines = new Connection("", "Accept: application/vnd.shardbus.events+ndjson")) {
      assertThat(events.next("HTTP/1.1")).startsWith("200");
      assertThat(lines.next("HTTP/1.1")).startsWith("200");
      TestGateway.await(server.gateway.close(Duration.ofHours(1)));
      assertThat(events.next("data: the server")).isEqualTo("is stopping");
    }
  }

  /** The package for Node.js does as browsers do. */
  @Test
  void eventSource_goesOnBehindACut() throws Exception {
    Path programs = Path.of("src/test/npm");
    assumeThat(programs.resolve("node_modules/eventsource")).exists();
    Path output = Files.createTempFile("eventsource", ".out");
    // A proxy that cuts the first connection.
    try (java.net.ServerSocket door =
        new java.net.ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      Process client =
          new ProcessBuilder(
                  "node",
                  "eventsource.mjs",
                  "http://127.0.0.1:" + door.getLocalPort() + "/v1/tail",
                  "2")
              .directory(programs.toFile())
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      try {
        Socket first = door.accept();
        try (Socket upstream = pipe(first)) {
          Awaitility.await().until(() -> Files.readString(output).contains("cursor "));
          assertThat(upstream.isConnected()).isTrue();
        }
        first.close();
        ingest("1");
        ingest("2");
        try (Socket second = door.accept();
            Socket upstream = pipe(second)) {
          assertThat(client.waitFor(30, TimeUnit.SECONDS)).isTrue();
          assertThat(upstream.isConnected()).isTrue();
        }
        assertThat(Files.readString(output)).contains("event 1").contains("event 2");
      } finally {
        client.destroyForcibly();
        Files.delete(output);
      }
    }
  }

  private Socket pipe(Socket client) throws Exception {
    Socket upstream = new Socket(InetAddress.getLoopbackAddress(), server.gateway.port());
    copy(client, upstream);
    copy(upstream, client);
    return upstream;
  }

  private static void copy(Socket from, Socket to) {
    Thread thread =
        new Thread(
            () -> {
              try {
                from.getInputStream().transferTo(to.getOutputStream());
              } catch (java.io.IOException e) {
                // cut
              }
            });
    thread.setDaemon(true);
    thread.start();
  }
}
