package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.testing.Java;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.json.JsonObject;
import io.vertx.core.streams.WriteStream;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Clients that send as fast as they can to a server whose heap is smaller than what they send, and
 * clients that are many. How much: {@code -Dflood.bytes=}; how many: {@code -Dflood.connections=}.
 */
@Tag("slow")
class FloodTest {

  private static final long BYTES = Long.getLong("flood.bytes", 300_000_000);
  private static final int CONNECTIONS = Integer.getInteger("flood.connections", 1_000);
  private static final int LINE_BYTES = 1_000;
  private static final int LINES = 32;
  private static final long MESSAGES = BYTES / LINE_BYTES / LINES;

  private final Buffer message = Buffer.buffer(message(LINES));
  private Vertx vertx;
  // Kept: one that is out of reach is closed with its connections.
  private HttpClient http;
  private WebSocketClient webSockets;
  private Process server;
  private int port;

  @BeforeEach
  void start() {
    vertx = Vertx.vertx();
    http = vertx.createHttpClient();
    webSockets = vertx.createWebSocketClient();
  }

  private void startServer(String... sink) throws Exception {
    port = Integer.parseInt(run(FloodServer.class, sink).readLine());
  }

  /** What the program prints, which has 128 MiB. */
  private BufferedReader run(Class<?> program, String... arguments) throws Exception {
    List<String> command =
        new ArrayList<>(Java.command("-Xmx128m", "-XX:+ExitOnOutOfMemoryError", program.getName()));
    command.addAll(List.of(arguments));
    server = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    return server.inputReader();
  }

  @AfterEach
  void stop() throws Exception {
    server.destroyForcibly();
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    long seconds = 120 + BYTES / 1_000_000;
    return future.toCompletionStage().toCompletableFuture().get(seconds, TimeUnit.SECONDS);
  }

  /** Sends all messages; completes when the last is written. */
  private void send(Context context, WriteStream<Buffer> to, long left, Promise<Void> done) {
    for (long i = left; i > 0; i--) {
      if (to.writeQueueFull()) {
        long rest = i;
        to.drainHandler(
            room -> {
              to.drainHandler(null);
              send(context, to, rest, done);
            });
        return;
      }
      to.write(message);
    }
    done.complete();
  }

  private JsonObject stats() throws Exception {
    assertThat(server.isAlive()).as("had memory enough").isTrue();
    return await(
            http.request(HttpMethod.GET, port, "127.0.0.1", "/v1/stats")
                .compose(
                    request -> {
                      Future<Buffer> answer = request.response().compose(HttpClientResponse::body);
                      return request.end().compose(sent -> answer);
                    }))
        .toJsonObject();
  }

  private void assertAllTaken() throws Exception {
    assertThat(stats().getLong("delivered")).isEqualTo(MESSAGES * LINES);
  }

  @Test
  void webSocketWithoutAck_isRefusedForWantOfRoomAndTold() throws Exception {
    startServer(FloodServer.FULL);
    WebSocket socket = await(webSockets.connect(port, "127.0.0.1", "/v1/ingest"));
    AtomicLong told = new AtomicLong();
    socket.textMessageHandler(
        text -> told.set(new JsonObject(text).getJsonObject("rejected").getLong("backpressure")));
    Promise<Void> sent = Promise.promise();
    Context context = vertx.getOrCreateContext();
    context.runOnContext(now -> send(context, socket, MESSAGES, sent));
    await(sent.future());
    Awaitility.await()
        .atMost(60, TimeUnit.SECONDS)
        .until(() -> stats().getLong("offered") == MESSAGES * LINES);
    long refused = stats().getJsonObject("refused").getLong("backpressure");
    assertThat(refused).isPositive();
    Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> told.get() == refused);
    Awaitility.await()
        .atMost(60, TimeUnit.SECONDS)
        .until(() -> stats().getLong("delivered") == MESSAGES * LINES - refused);
  }

  @Test
  void clientsThatNeverRead_costBoundedMemory() throws Exception {
    startServer("memory");
    try (Socket tail = new Socket(InetAddress.getLoopbackAddress(), port);
        RawWebSocket acks = new RawWebSocket(port)) {
      tail.getOutputStream()
          .write(
              "GET /v1/tail?from=start HTTP/1.1\r\nHost: localhost\r\n\r\n"
                  .getBytes(StandardCharsets.US_ASCII));
      byte[] frame = RawWebSocket.frame(RawWebSocket.FINAL | RawWebSocket.TEXT, message.getBytes());
      for (long i = 0; i < MESSAGES; i++) {
        acks.send(frame);
      }
      Awaitility.await()
          .atMost(60, TimeUnit.SECONDS)
          .until(() -> stats().getLong("delivered") == MESSAGES * LINES);
    }
  }

  @Test
  void idleConnections_costLittle() throws Exception {
    startServer();
    List<RawWebSocket> all = new ArrayList<>();
    try {
      for (int i = 0; i < CONNECTIONS; i++) {
        all.add(new RawWebSocket(port));
      }
      byte[] event = RawWebSocket.frame(RawWebSocket.FINAL | RawWebSocket.TEXT, "1");
      for (RawWebSocket each : all) {
        each.send(event);
      }
      for (RawWebSocket each : all) {
        assertThat(each.read().text()).contains("\"acked\":1");
      }
      assertThat(stats().getLong("accepted")).isEqualTo(CONNECTIONS);
    } finally {
      for (RawWebSocket each : all) {
        each.close();
      }
    }
  }

  /** Together they are many times the heap. */
  @Test
  void unfinishedBodies_costBoundedMemory() throws Exception {
    startServer();
    List<Socket> all = new ArrayList<>();
    byte[] part = " ".repeat(1_000_000).getBytes(StandardCharsets.US_ASCII);
    try {
      for (int i = 0; i < 400; i++) {
        Socket socket = begin(i % 2 == 0 ? "application/json" : "application/x-ndjson");
        all.add(socket);
        try {
          socket.getOutputStream().write(part);
        } catch (SocketException e) {
          // refused, and closed meanwhile
        }
      }
      // One that found the room of another that was refused is complete with its last byte; some
      // may have no answer.
      int last = 399;
      String status = statusOfCompleted(all.get(last));
      while (status.isEmpty() || status.contains(" 202")) {
        status = statusOfCompleted(all.get(--last));
      }
      assertThat(status).contains(" 503");
      assertThat(last).as("so many have room").isGreaterThan(399 - 34);
    } finally {
      for (Socket each : all) {
        each.close();
      }
    }
    // What they held is given back.
    Awaitility.await()
        .atMost(60, TimeUnit.SECONDS)
        .until(
            () -> {
              assertThat(server.isAlive()).as("had memory enough").isTrue();
              try (Socket socket = begin("application/json")) {
                socket.getOutputStream().write(part);
                socket.getOutputStream().write('1');
                return status(socket).contains(" 202");
              } catch (IOException e) {
                return false; // refused, and closed meanwhile
              }
            });
  }

  /** Together they are many times the memory outside the heap, where they are put together. */
  @Test
  void unfinishedFrames_costBoundedMemory() throws Exception {
    startServer();
    List<RawWebSocket> all = new ArrayList<>();
    byte[] header = RawWebSocket.header(RawWebSocket.FINAL | RawWebSocket.TEXT, true, 1_000_001);
    byte[] part = " ".repeat(1_000_000).getBytes(StandardCharsets.US_ASCII);
    try {
      for (int i = 0; i < 400; i++) {
        RawWebSocket socket = new RawWebSocket(port);
        all.add(socket);
        try {
          socket.send(header);
          socket.send(part);
        } catch (SocketException e) {
          // refused, and closed meanwhile
        }
      }
      // One that found the room of another that was refused is complete with its last byte; some
      // may have no answer.
      int last = 399;
      RawWebSocket.Frame answer = answerToCompleted(all.get(last));
      while (answer.closeCode() == 1006 || answer.text().contains("\"acked\":1")) {
        answer = answerToCompleted(all.get(--last));
      }
      assertThat(answer.closeCode()).isEqualTo(1013);
      assertThat(last).as("so many have room").isGreaterThan(399 - 34);
    } finally {
      for (RawWebSocket each : all) {
        each.close();
      }
    }
    // What they held is given back.
    Awaitility.await()
        .atMost(60, TimeUnit.SECONDS)
        .until(
            () -> {
              assertThat(server.isAlive()).as("had memory enough").isTrue();
              try (RawWebSocket socket = new RawWebSocket(port)) {
                socket.send(header);
                socket.send(part);
                socket.send(new byte[] {'1'});
                return socket.read().text().contains("\"acked\":1");
              } catch (IOException e) {
                return false; // refused, and closed meanwhile
              }
            });
  }

  /** What Vert.x alone would read ahead, two dozen messages of each, is twice the heap. */
  @Test
  void messagesOfMany_costBoundedMemory() throws Exception {
    startServer();
    byte[] frame = RawWebSocket.frame(RawWebSocket.FINAL | RawWebSocket.TEXT, message(64));
    int messages = 30;
    int events = messages * 64;
    List<Callable<String>> clients =
        Collections.nCopies(150, () -> sendAll(frame, messages, events));
    ExecutorService threads = Executors.newFixedThreadPool(clients.size());
    try {
      for (java.util.concurrent.Future<String> client : threads.invokeAll(clients)) {
        assertThat(client.get()).contains("\"acked\":" + events);
      }
    } finally {
      threads.shutdownNow();
    }
    assertThat(stats().getLong("accepted")).isEqualTo((long) clients.size() * events);
  }

  private static byte[] message(int lines) {
    return ("\"" + "x".repeat(LINE_BYTES - 3) + "\"\n")
        .repeat(lines)
        .getBytes(StandardCharsets.US_ASCII);
  }

  /** The last it hears. */
  private String sendAll(byte[] frame, int times, int events) throws IOException {
    try (RawWebSocket socket = new RawWebSocket(port)) {
      for (int i = 0; i < times; i++) {
        socket.send(frame);
      }
      String heard = "";
      while (!heard.contains("\"acked\":" + events)) {
        RawWebSocket.Frame next = socket.read();
        if (next.opcode() == RawWebSocket.CLOSE) {
          return heard + " and then " + next.closeCode();
        }
        heard = next.text();
      }
      return heard;
    }
  }

  /** A body of a million bytes and one. */
  private Socket begin(String type) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(10_000); // a flooded server may leave one request unanswered
    String head =
        "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000001\r\n"
            + "Content-Type: "
            + type
            + "\r\n\r\n";
    socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
    return socket;
  }

  /** One that closes without a code if there is none. */
  private static RawWebSocket.Frame answerToCompleted(RawWebSocket socket) throws IOException {
    try {
      socket.send(new byte[] {'1'});
    } catch (SocketException e) {
      // refused, and closed meanwhile
    }
    try {
      return socket.read();
    } catch (SocketTimeoutException e) {
      return new RawWebSocket.Frame(RawWebSocket.CLOSE, Buffer.buffer());
    }
  }

  /** Empty if there is none: a connection that was reset may have lost it. */
  private static String statusOfCompleted(Socket socket) {
    try {
      socket.getOutputStream().write('1');
    } catch (IOException e) {
      // refused, and closed meanwhile
    }
    try {
      return status(socket);
    } catch (IOException e) {
      return "";
    }
  }

  private static String status(Socket socket) throws IOException {
    return new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII);
  }

  @Test
  void fileIntoTheWriteStream_takesConstantMemory(@TempDir Path dir) throws Exception {
    Path file = dir.resolve("lines");
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
      for (long i = 0; i < MESSAGES; i++) {
        out.write(message.getBytes());
      }
    }
    assertThat(run(FloodPipe.class, file.toString()).readLine())
        .isEqualTo(Long.toString(MESSAGES * LINES));
  }

  @Test
  void webSocketWithAck_isPausedAndAllIsAcknowledgedOnce() throws Exception {
    startServer();
    WebSocket socket = await(webSockets.connect(port, "127.0.0.1", "/v1/ingest?ack=delivered"));
    Promise<Void> acked = Promise.promise();
    long[] last = new long[1];
    socket.textMessageHandler(
        text -> {
          JsonObject frame = new JsonObject(text);
          long now = frame.getLong("acked");
          if (now < last[0] || now > MESSAGES * LINES || frame.containsKey("rejected")) {
            acked.tryFail("after " + last[0] + ": " + text);
          }
          last[0] = now;
          if (now == MESSAGES * LINES) {
            acked.tryComplete();
          }
        });
    socket.closeHandler(closed -> acked.tryFail("closed: " + socket.closeReason()));
    Promise<Void> sent = Promise.promise();
    Context context = vertx.getOrCreateContext();
    context.runOnContext(now -> send(context, socket, MESSAGES, sent));
    await(sent.future());
    await(acked.future());
    assertAllTaken();
  }

  @Test
  void upload_takesConstantMemory() throws Exception {
    startServer();
    JsonObject answer =
        await(
                http.request(HttpMethod.POST, port, "127.0.0.1", "/v1/events?ack=delivered")
                    .compose(
                        request -> {
                          request
                              .putHeader("Content-Type", "application/x-ndjson")
                              .setChunked(true);
                          Future<Buffer> answered =
                              request.response().compose(HttpClientResponse::body);
                          Promise<Void> sent = Promise.promise();
                          Context context = vertx.getOrCreateContext();
                          send(context, request, MESSAGES, sent);
                          return sent.future()
                              .compose(done -> request.end())
                              .compose(done -> answered);
                        }))
            .toJsonObject();
    assertThat(answer.getLong("accepted")).isEqualTo(MESSAGES * LINES);
    assertThat(answer.getLong("delivered")).isEqualTo(MESSAGES * LINES);
    assertThat(answer.getLong("rejected")).isZero();
    assertAllTaken();
  }
}
