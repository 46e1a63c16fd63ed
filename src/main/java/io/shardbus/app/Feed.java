package io.shardbus.app;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Sends lines to a server over some connections, batch by batch, and counts what the server says.
 */
final class Feed {

  private static final int BATCH_BYTES = 256 << 10;
  private static final int BATCH_EVENTS = 1_000;

  /** How many events a WebSocket sends ahead of their acknowledgements. */
  private static final long WINDOW = 20_000;

  private static final int MAX_ERRORS = 10;
  private static final long ACK_TIMEOUT_SECONDS = 60;

  private final ServerUrl server;
  private final FeedCommand.Lines lines;
  private final String query;
  private final boolean webSocket;
  private final @Nullable Double rate;
  private final AtomicLong sent = new AtomicLong();
  private final AtomicLong acked = new AtomicLong();
  private final AtomicLong rejected = new AtomicLong();
  private final List<String> errors = new ArrayList<>();
  private final long start = System.nanoTime();

  Feed(
      ServerUrl server,
      FeedCommand.Lines lines,
      String query,
      boolean webSocket,
      @Nullable Double rate) {
    this.server = server;
    this.lines = lines;
    this.query = query;
    this.webSocket = webSocket;
    this.rate = rate;
  }

  private static final class Chunk {

    final byte[] bytes;
    final int events;

    Chunk(byte[] bytes, int events) {
      this.bytes = bytes;
      this.events = events;
    }
  }

  void run(int connections, Consumer<String> progress) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(connections);
    try {
      List<Future<?>> workers = new ArrayList<>();
      for (int i = 0; i < connections; i++) {
        workers.add(
            threads.submit(
                () -> {
                  if (webSocket) {
                    sendByWebSocket();
                  } else {
                    sendByHttp();
                  }
                  return null;
                }));
      }
      for (Future<?> worker : workers) {
        await(worker, progress);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private void await(Future<?> worker, Consumer<String> progress) throws Exception {
    while (true) {
      try {
        worker.get(500, TimeUnit.MILLISECONDS);
        progress.accept(progressLine());
        return;
      } catch (TimeoutException e) {
        progress.accept(progressLine());
      } catch (ExecutionException e) {
        throw e.getCause() instanceof Exception cause ? cause : e;
      }
    }
  }

  private String progressLine() {
    return String.format(
        "%,d sent, %,d acknowledged, %,d rejected, %,.0f events/s   ",
        sent.get(), acked.get(), rejected.get(), acked.get() / seconds());
  }

  private double seconds() {
    return (System.nanoTime() - start) / 1e9;
  }

  private synchronized @Nullable Chunk nextChunk() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int most = rate == null ? BATCH_EVENTS : (int) Math.max(1, Math.min(BATCH_EVENTS, rate / 20));
    int events = 0;
    while (events < most && bytes.size() < BATCH_BYTES) {
      byte[] line = lines.next();
      if (line == null) {
        break;
      }
      bytes.writeBytes(line);
      bytes.write('\n');
      events++;
    }
    if (events == 0) {
      return null;
    }
    keepToRate(sent.addAndGet(events));
    return new Chunk(bytes.toByteArray(), events);
  }

  private void keepToRate(long total) {
    if (rate == null) {
      return;
    }
    long ahead = (long) (total / rate * 1e9) - (System.nanoTime() - start);
    if (ahead > 0) {
      java.util.concurrent.locks.LockSupport.parkNanos(ahead);
    }
  }

  private synchronized void error(String text) {
    if (errors.size() < MAX_ERRORS) {
      errors.add(text);
    }
  }

  // ---------------------------------------------------------------- HTTP

  private void sendByHttp() throws IOException, InterruptedException {
    for (Chunk chunk = nextChunk(); chunk != null; chunk = nextChunk()) {
      int from = 0;
      int left = chunk.events;
      while (left > 0) {
        HttpResponse<String> response =
            server.send(
                server
                    .request("/v1/events" + query)
                    .header("Content-Type", "application/x-ndjson")
                    .POST(
                        HttpRequest.BodyPublishers.ofByteArray(
                            chunk.bytes, from, chunk.bytes.length - from))
                    .build(),
                HttpResponse.BodyHandlers.ofString());
        JsonObject answer = json(response.body());
        long accepted = answer.getLong("accepted", 0L);
        long refused = answer.getLong("rejected", 0L);
        acked.addAndGet(answer.getLong("delivered", accepted));
        rejected.addAndGet(refused + answer.getLong("failed", 0L));
        answer.getJsonArray("errors", new JsonArray()).forEach(e -> error(e.toString()));
        if (response.statusCode() == 429) {
          // Full: what was taken is taken, go on behind it.
          for (long skip = accepted + refused; skip > 0; skip--) {
            from = endOfLine(chunk.bytes, from);
            left--;
          }
          TimeUnit.MILLISECONDS.sleep(100);
        } else if (response.statusCode() >= 400) {
          throw new IOException(
              "the server said " + response.statusCode() + ": " + response.body());
        } else {
          left = 0;
        }
      }
    }
  }

  private static JsonObject json(String body) throws IOException {
    try {
      return new JsonObject(body);
    } catch (RuntimeException e) {
      throw new IOException("this is no Shardbus server: it answered " + body, e);
    }
  }

  private static int endOfLine(byte[] bytes, int from) {
    int at = from;
    while (bytes[at] != '\n') {
      at++;
    }
    return at + 1;
  }

  // ---------------------------------------------------------------- WebSocket

  private void sendByWebSocket() throws IOException, InterruptedException {
    Acks acks = new Acks();
    WebSocket socket;
    try {
      socket =
          server
              .webSocket()
              .subprotocols("shardbus.v1")
              .buildAsync(server.resolveWebSocket("/v1/ingest" + query), acks)
              .join();
    } catch (CompletionException e) {
      throw new IOException("cannot open a WebSocket: " + e.getCause(), e);
    }
    long mine = 0;
    for (Chunk chunk = nextChunk(); chunk != null; chunk = nextChunk()) {
      mine += chunk.events;
      acks.await(mine - WINDOW);
      socket.sendBinary(ByteBuffer.wrap(chunk.bytes), true).join();
    }
    acks.await(mine);
    socket.sendClose(WebSocket.NORMAL_CLOSURE, "").join();
  }

  /** Reads one connection's acknowledgements. */
  private final class Acks implements WebSocket.Listener {

    private final StringBuilder partial = new StringBuilder();
    private long settled;
    private long myAcked;
    private long myRejected;
    private @Nullable String ended;

    @Override
    public synchronized @Nullable CompletionStage<?> onText(
        WebSocket socket, CharSequence data, boolean last) {
      partial.append(data);
      if (last) {
        JsonObject frame = new JsonObject(partial.toString());
        partial.setLength(0);
        long total = frame.getLong("acked", myAcked);
        long refused =
            frame.getJsonObject("rejected", new JsonObject()).stream()
                .mapToLong(e -> ((Number) e.getValue()).longValue())
                .sum();
        acked.addAndGet(total - myAcked);
        rejected.addAndGet(refused - myRejected);
        myAcked = total;
        myRejected = refused;
        frame.getJsonArray("errors", new JsonArray()).forEach(e -> error(e.toString()));
        settled = total + refused;
        notifyAll();
      }
      socket.request(1);
      return null;
    }

    @Override
    public synchronized @Nullable CompletionStage<?> onClose(
        WebSocket socket, int code, String reason) {
      ended = "the server closed the connection: " + code + " " + reason;
      notifyAll();
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public synchronized void onError(WebSocket socket, Throwable failure) {
      ended = "the connection broke: " + failure;
      notifyAll();
    }

    synchronized void await(long events) throws IOException, InterruptedException {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(ACK_TIMEOUT_SECONDS);
      long before = settled;
      while (settled < events) {
        if (ended != null) {
          throw new IOException(ended);
        }
        if (settled != before) {
          before = settled;
          deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(ACK_TIMEOUT_SECONDS);
        }
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          throw new IOException("no acknowledgement within " + ACK_TIMEOUT_SECONDS + " s");
        }
        TimeUnit.NANOSECONDS.timedWait(this, Math.min(left, 1_000_000_000L));
      }
    }
  }

  JsonObject summary() {
    double seconds = seconds();
    return new JsonObject()
        .put("sent", sent.get())
        .put("acked", acked.get())
        .put("rejected", rejected.get())
        .put("seconds", Math.round(seconds * 1000) / 1000.0)
        .put("eventsPerSecond", Math.round(acked.get() / seconds))
        .put("errors", new JsonArray(new ArrayList<Object>(errors)));
  }
}
