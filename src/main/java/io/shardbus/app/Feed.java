package io.shardbus.app;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Sends lines to a server over some connections, batch by batch, and counts the answers. An event
 * that was sent and has no answer at the end counts as unknown: the server may have it or not.
 */
final class Feed {

  private static final int BATCH_BYTES = 256 << 10;
  private static final int BATCH_EVENTS = 1_000;

  /** How many events a WebSocket sends ahead of their acknowledgements. */
  private static final long WINDOW = 20_000;

  private static final int MAX_ERRORS = 10;
  private static final long ACK_TIMEOUT_SECONDS = 60;
  private static final long PROGRESS_MILLIS = 500;

  private final ServerUrl server;
  private final Lines lines;
  private final String query;
  private final String media;
  private final boolean webSocket;
  private final @Nullable Double rate;
  private long read; // guarded by the lines
  private byte @Nullable [] kept; // guarded by the lines: read, and left for the next batch
  private volatile @Nullable IOException unreadable;
  private final AtomicLong sent = new AtomicLong();
  private final AtomicLong acked = new AtomicLong();
  private final AtomicLong duplicates = new AtomicLong(); // of the acknowledged
  private final AtomicLong rejected = new AtomicLong();
  private final List<String> errors = new ArrayList<>();
  private final long start = System.nanoTime();

  Feed(
      ServerUrl server,
      Lines lines,
      String query,
      String media,
      boolean webSocket,
      @Nullable Double rate) {
    this.server = server;
    this.lines = lines;
    this.query = query;
    this.media = media;
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

  /** Ends when all lines are sent and answered, or when a connection fails. */
  void run(int connections, Consumer<String> progress) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(connections);
    try {
      ExecutorCompletionService<@Nullable Void> workers = new ExecutorCompletionService<>(threads);
      for (int i = 0; i < connections; i++) {
        workers.submit(
            () -> {
              if (webSocket) {
                sendByWebSocket();
              } else {
                sendByHttp();
              }
              return null;
            });
      }
      for (int left = connections; left > 0; ) {
        Future<@Nullable Void> ended = workers.poll(PROGRESS_MILLIS, TimeUnit.MILLISECONDS);
        progress.accept(progressLine());
        if (ended != null) {
          ended.get();
          left--;
        }
      }
      if (unreadable != null) {
        throw unreadable;
      }
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    } finally {
      threads.shutdownNow();
    }
  }

  private String progressLine() {
    return String.format(
        Locale.ROOT,
        "%,d sent, %,d acknowledged, %,d rejected, %,.0f events/s   ",
        sent.get(),
        acked.get(),
        rejected.get(),
        acked.get() / seconds());
  }

  private double seconds() {
    return (System.nanoTime() - start) / 1e9;
  }

  /**
   * Waits for the first line and takes the lines that are available, so that slow input is not held
   * up.
   */
  private @Nullable Chunk nextChunk() throws InterruptedException {
    synchronized (lines) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      int events = readInto(bytes);
      if (events == 0) {
        return null;
      }
      read += events;
      keepToRate(read);
      return new Chunk(bytes.toByteArray(), events);
    }
  }

  private int readInto(ByteArrayOutputStream bytes) {
    int most = rate == null ? BATCH_EVENTS : (int) Math.max(1, Math.min(BATCH_EVENTS, rate / 20));
    int events = 0;
    try {
      while (events < most
          && bytes.size() < BATCH_BYTES
          && (events == 0 || !lines.nextWouldWait())) {
        byte[] line = kept != null ? kept : lines.next();
        kept = null;
        if (line == null) {
          break;
        }
        if (events > 0 && bytes.size() + line.length >= BATCH_BYTES) {
          kept = line; // alone it fits where a line fits
          break;
        }
        if (events > 0) {
          bytes.write('\n');
        }
        bytes.writeBytes(line);
        events++;
      }
    } catch (IOException e) {
      unreadable = e; // after the end: the lines read before are good
    }
    return events;
  }

  private void keepToRate(long total) throws InterruptedException {
    if (rate != null) {
      TimeUnit.NANOSECONDS.sleep((long) (total / rate * 1e9) - (System.nanoTime() - start));
    }
  }

  private void error(String text) {
    synchronized (errors) {
      if (errors.size() < MAX_ERRORS) {
        errors.add(text);
      }
    }
  }

  // ---------------------------------------------------------------- HTTP

  private void sendByHttp() throws IOException, InterruptedException {
    for (Chunk chunk = nextChunk(); chunk != null; chunk = nextChunk()) {
      sent.addAndGet(chunk.events);
      int from = 0;
      int left = chunk.events;
      while (left > 0) {
        HttpResponse<String> response = post(chunk, from, left);
        JsonObject answer = ServerUrl.json(response.body());
        long accepted = answer.getLong("accepted", 0L);
        long refused = answer.getLong("rejected", 0L);
        acked.addAndGet(answer.getLong("delivered", accepted));
        duplicates.addAndGet(answer.getLong("duplicates", 0L));
        rejected.addAndGet(refused + answer.getLong("failed", 0L));
        answer.getJsonArray("errors", new JsonArray()).forEach(e -> error(e.toString()));
        int status = response.statusCode();
        if (status == 429) {
          // Full: go on behind the events that were taken.
          for (long skip = accepted + refused; skip > 0; skip--) {
            from = endOfLine(chunk.bytes, from);
            left--;
          }
          TimeUnit.MILLISECONDS.sleep(100);
        } else if (status == 400 && accepted + refused == left) {
          left = 0; // none is valid
        } else if (status == 500 && answer.containsKey("failed")) {
          left = 0; // the bus took them, the sink did not
        } else if (status >= 400) {
          if (status < 500 || status == 503) {
            rejected.addAndGet(left - accepted - refused); // the bus takes no more
          }
          throw ServerUrl.refusal(status, response.body());
        } else {
          left = 0;
        }
      }
    }
  }

  private HttpResponse<String> post(Chunk chunk, int from, int events)
      throws IOException, InterruptedException {
    HttpRequest request =
        server
            .request("/v1/events" + query)
            .header("Content-Type", media)
            .POST(
                HttpRequest.BodyPublishers.ofByteArray(
                    chunk.bytes, from, chunk.bytes.length - from))
            .build();
    try {
      return server.send(request, HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      if (e.getCause() instanceof ConnectException) {
        sent.addAndGet(-events); // they did not leave this machine
        throw e;
      }
      throw broken(e);
    }
  }

  private static IOException broken(Throwable failure) {
    return new IOException("the connection broke: " + Failures.describe(failure), failure);
  }

  private static int endOfLine(byte[] bytes, int from) {
    int at = from;
    while (at < bytes.length && bytes[at] != '\n') {
      at++;
    }
    return Math.min(bytes.length, at + 1);
  }

  // ---------------------------------------------------------------- WebSocket

  private void sendByWebSocket() throws IOException, InterruptedException {
    Acks acks = new Acks();
    WebSocket socket = server.webSocket("/v1/ingest" + query, acks);
    long mine = 0;
    for (Chunk chunk = nextChunk(); chunk != null; chunk = nextChunk()) {
      mine += chunk.events;
      acks.await(mine - WINDOW);
      sent.addAndGet(chunk.events);
      try {
        socket.sendBinary(ByteBuffer.wrap(chunk.bytes), true).join();
      } catch (CompletionException e) {
        acks.await(mine); // has the reason
        throw broken(e);
      }
    }
    acks.await(mine);
    // All events are answered, so it does not matter if the server has gone.
    socket.sendClose(WebSocket.NORMAL_CLOSURE, "").exceptionally(e -> socket).join();
  }

  /** Reads one connection's acknowledgements. */
  private final class Acks implements WebSocket.Listener {

    private final StringBuilder partial = new StringBuilder();
    private long settled;
    private long myAcked;
    private long myDuplicates;
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
        long repeats = frame.getLong("duplicates", myDuplicates);
        duplicates.addAndGet(repeats - myDuplicates);
        myDuplicates = repeats;
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
      ended = broken(failure).getMessage();
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
    long ackedNow = acked.get();
    long rejectedNow = rejected.get();
    long sentNow = sent.get(); // last: no event can have a fate before it counts as sent
    JsonArray errorsNow;
    synchronized (errors) {
      errorsNow = new JsonArray(List.copyOf(errors));
    }
    return new JsonObject()
        .put("sent", sentNow)
        .put("acked", ackedNow)
        .put("duplicates", duplicates.get())
        .put("rejected", rejectedNow)
        .put("unknown", sentNow - ackedNow - rejectedNow)
        .put("seconds", Math.round(seconds * 1000) / 1000.0)
        .put("eventsPerSecond", Math.round(ackedNow / seconds))
        .put("errors", errorsNow);
  }
}
