package io.shardbus.net;

import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ServerWebSocket;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/*
 * Ownership: the event loop of the socket has all of it. Other threads only call `needsLook`, which reads `heard` and
 * `partialSince`.
 *
 * Ordering: both are volatile and stand alone: no other field depends on them.
 *
 * Why it is safe: `needsLook` may be wrong for a moment. `look` then decides again, on the event loop.
 */
/**
 * Reading, signs of life and the end of a WebSocket, whatever its messages are. A client that is
 * silent gets a ping, and the socket is closed if nothing comes back. A message that has begun must
 * end in time. The socket is not read while the client sends pings and does not read the answers:
 * Vert.x sends one for each.
 */
public final class WebSocketLife {

  /** The code of a peer that leaves; also sent to a silent client. */
  public static final short GOING_AWAY = 1001;

  /** What {@link #finish} leaves to the client; less than what a stop of the server waits. */
  private static final Duration PATIENCE = Duration.ofSeconds(4);

  /** From the server's last word to the end of a connection that the client does not end. */
  private static final Duration SILENCE = Duration.ofSeconds(10);

  private final ServerWebSocket socket;
  private final ReadControl reads;
  private final Supplier<Duration> idleTimeout;
  private final Supplier<Duration> messageTimeout;
  private final Runnable onLate;
  private final Deadline lastWords;
  private final Deadline silence;
  private boolean ending;
  private boolean clientCloses;
  private boolean paused;
  private boolean answering; // pings, faster than the client reads
  private boolean pinged;
  private volatile long heard = System.nanoTime();
  private volatile long partialSince; // 0 while there is none

  /**
   * @param vertx whose timers are used
   * @param socket the WebSocket
   * @param reads stops and starts reading from it
   * @param idleTimeout how long a client may be silent, as in force
   * @param messageTimeout how long a message may take, as in force
   * @param onLate called on the event loop if a message takes longer
   */
  public WebSocketLife(
      Vertx vertx,
      ServerWebSocket socket,
      ReadControl reads,
      Supplier<Duration> idleTimeout,
      Supplier<Duration> messageTimeout,
      Runnable onLate) {
    this.socket = socket;
    this.reads = reads;
    this.idleTimeout = idleTimeout;
    this.messageTimeout = messageTimeout;
    this.onLate = onLate;
    lastWords = new Deadline(vertx, this::goAway);
    silence = new Deadline(vertx, reads::abort);
    socket.pongHandler(pong -> heard());
    socket.exceptionHandler(this::failed);
  }

  private void failed(Throwable failure) {
    if (failure instanceof CorruptedWebSocketFrameException broken) {
      close(
          (short) broken.closeStatus().code(),
          "the frames are not those of RFC 6455, or too large");
    } // else the connection is gone
  }

  // ---------------------------------------------------------------- signs of life

  /** The client gave a sign of life. */
  public void heard() {
    heard = System.nanoTime();
    pinged = false;
  }

  /** The client sent a ping. {@link #readIf} is to follow. */
  public void answersPing() {
    answering = true;
  }

  /**
   * A message that has begun must come to an end, unless it is not read.
   *
   * @param bytes what has come of a message that is not complete; 0 if there is none
   */
  public void partial(long bytes) {
    if (bytes == 0) {
      partialSince = 0;
    } else if (partialSince == 0) {
      partialSince = System.nanoTime();
    }
  }

  /**
   * Whether {@link #look} may have something to do. For any thread.
   *
   * @return true if the client has been silent for half of its time, or if a message is late
   */
  public boolean needsLook() {
    return System.nanoTime() - heard > idleTimeout.get().toNanos() / 2 || partialIsLate();
  }

  private boolean partialIsLate() {
    long since = partialSince;
    return since != 0 && System.nanoTime() - since > messageTimeout.get().toNanos();
  }

  /** Asks a silent client for a sign of life, and closes if none comes. */
  public void look() {
    Duration timeout = idleTimeout.get();
    if (paused) {
      // The socket is not read, so its answers are not seen; but the connection must not look idle.
      heard();
      ping();
    } else if (partialIsLate()) {
      onLate.run();
    } else if (!pinged) {
      pinged = true;
      ping();
    } else if (System.nanoTime() - heard > timeout.toNanos()) {
      close(GOING_AWAY, "no sign of life for " + timeout.toSeconds() + " s");
    }
  }

  private void ping() {
    if (!socket.isClosed() && !socket.writeQueueFull()) {
      socket.writePing(Buffer.buffer());
    }
  }

  // ---------------------------------------------------------------- reading

  /**
   * Reads on or not. A socket that is about to end is read, so that its end is seen.
   *
   * @param room whether there is room for more messages
   */
  public void readIf(boolean room) {
    if (socket.isClosed()) {
      return;
    }
    answering &= socket.writeQueueFull();
    boolean before = paused;
    paused = !ending && (answering || !room);
    if (paused) {
      reads.pause();
      return;
    }
    if (before && partialSince != 0) {
      partialSince = System.nanoTime();
    }
    reads.resume();
  }

  // ---------------------------------------------------------------- the end

  /** {@return whether the server ends it: {@link #finish} or {@link #close} was called} */
  public boolean isEnding() {
    return ending;
  }

  /**
   * Gives the client a last chance to read: {@link #goAway} is called in four seconds.
   *
   * @return false if the end has begun before
   */
  public boolean finish() {
    if (ending) {
      return false;
    }
    ending = true;
    lastWords.begin(PATIENCE);
    return true;
  }

  /**
   * The client closes. It gets its answer by {@link #goAway}, in four seconds at the latest.
   *
   * @return false if the server had begun to close
   */
  public boolean clientCloses() {
    boolean first = finish();
    clientCloses = first;
    if (!first) {
      reads.passClose();
    }
    return first;
  }

  /** Closes the socket because the server stops, or answers the Close of the client. */
  public void goAway() {
    if (clientCloses) {
      lastWords.cancel();
      socket.shutdownHandler(null);
      reads.passClose();
      silence.begin(SILENCE);
    } else {
      close(GOING_AWAY, "the server is stopping");
    }
  }

  /**
   * Closes the socket at once: Vert.x would ask the handler of a shutdown first.
   *
   * @param code of RFC 6455
   * @param why for the client
   */
  public void close(short code, @Nullable String why) {
    ending = true;
    lastWords.cancel();
    reads.resume(); // or the answer were not seen
    if (!socket.isClosed()) {
      socket.shutdownHandler(null);
      socket.close(code, why);
    }
    silence.begin(SILENCE); // a client that does not read would never be rid of
  }

  /** The socket is closed. */
  public void ended() {
    ending = true;
    lastWords.cancel();
    silence.cancel();
    partialSince = 0;
  }
}
