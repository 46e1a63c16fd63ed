package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.json.JsonObject;
import io.vertx.core.streams.WriteStream;
import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Clients that send as fast as they can to a server whose heap is smaller than what they send. How
 * much: {@code -Dflood.bytes=}.
 */
class FloodTest {

  private static final long BYTES = Long.getLong("flood.bytes", 300_000_000);
  private static final int LINE_BYTES = 1_000;
  private static final int LINES = 32;
  private static final long MESSAGES = BYTES / LINE_BYTES / LINES;

  private final Buffer message =
      Buffer.buffer(("\"" + "x".repeat(LINE_BYTES - 3) + "\"\n").repeat(LINES));
  private Vertx vertx;
  private Process server;
  private int port;

  @BeforeEach
  void start() throws Exception {
    vertx = Vertx.vertx();
    server =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+ExitOnOutOfMemoryError",
                "-cp",
                System.getProperty("java.class.path"),
                FloodServer.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    BufferedReader out = server.inputReader();
    port = Integer.parseInt(out.readLine());
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
        to.drainHandler(room -> send(context, to, rest, done));
        return;
      }
      to.write(message);
    }
    done.complete();
  }

  private void assertAllTaken() throws Exception {
    assertThat(server.isAlive()).as("had memory enough").isTrue();
    HttpClient http = vertx.createHttpClient();
    JsonObject stats =
        await(
                http.request(HttpMethod.GET, port, "127.0.0.1", "/v1/stats")
                    .compose(request -> request.send())
                    .compose(response -> response.body()))
            .toJsonObject();
    assertThat(stats.encode()).contains("\"delivered\":" + MESSAGES * LINES);
  }

  @Test
  void webSocketWithAck_isPausedAndAllIsAcknowledgedOnce() throws Exception {
    WebSocketClient client = vertx.createWebSocketClient();
    WebSocket socket = await(client.connect(port, "127.0.0.1", "/v1/ingest?ack=delivered"));
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
    HttpClient http = vertx.createHttpClient();
    JsonObject answer =
        await(
                http.request(HttpMethod.POST, port, "127.0.0.1", "/v1/events?ack=delivered")
                    .compose(
                        request -> {
                          request
                              .putHeader("Content-Type", "application/x-ndjson")
                              .setChunked(true);
                          Promise<Void> sent = Promise.promise();
                          Context context = vertx.getOrCreateContext();
                          send(context, request, MESSAGES, sent);
                          return sent.future()
                              .compose(done -> request.end())
                              .compose(done -> request.response());
                        })
                    .compose(response -> response.body()))
            .toJsonObject();
    assertThat(answer.getLong("accepted")).isEqualTo(MESSAGES * LINES);
    assertThat(answer.getLong("delivered")).isEqualTo(MESSAGES * LINES);
    assertThat(answer.getLong("rejected")).isZero();
    assertAllTaken();
  }
}
