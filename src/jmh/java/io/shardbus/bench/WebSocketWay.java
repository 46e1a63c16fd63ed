package io.shardbus.bench;

import io.shardbus.gateway.Gateway;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.http.WebSocketConnectOptions;
import io.vertx.core.json.JsonObject;
import java.util.ArrayDeque;
import java.util.Deque;

/** Frames of NDJSON to a Shardbus server, a lot a frame. */
final class WebSocketWay implements Way {

  private static final int BURST_BYTES = 64 << 10;

  private final Vertx vertx;
  private final WebSocketConnectOptions options;
  private final int mostUnderWay;

  /**
   * @param ack what an acknowledgement means: {@code accepted} or {@code delivered}
   * @param mostUnderWay lots that are not acknowledged; the socket's own limit holds as well
   */
  WebSocketWay(Vertx vertx, int port, String ack, int mostUnderWay) {
    this.vertx = vertx;
    this.mostUnderWay = mostUnderWay;
    options =
        new WebSocketConnectOptions()
            .setHost("127.0.0.1")
            .setPort(port)
            .setURI("/v1/ingest?ack=" + ack)
            .addSubProtocol(Gateway.SUBPROTOCOL);
  }

  @Override
  public void open(Lots lots, Confirmations confirmations, Opened opened) {
    WebSocketClient client = vertx.createWebSocketClient();
    opened.add(() -> client.close().await());
    Repeat repeat = opened.add(new Repeat());
    client
        .connect(options)
        .onSuccess(socket -> new Session(socket, lots, confirmations, repeat).start())
        .await();
  }

  /** On the socket's context. */
  private final class Session {

    private record Sent(long lastEvent, long at) {}

    private final WebSocket socket;
    private final Context context = vertx.getOrCreateContext();
    private final Lots.Cycle<Buffer> frames;
    private final int size;
    private final Confirmations confirmations;
    private final Repeat repeat;
    private final Deque<Sent> underWay = new ArrayDeque<>();
    private long sent;
    private boolean goesOn;

    Session(WebSocket socket, Lots lots, Confirmations confirmations, Repeat repeat) {
      this.socket = socket;
      this.confirmations = confirmations;
      this.repeat = repeat;
      frames = lots.as(Ndjson::of);
      size = lots.size();
    }

    void start() {
      socket.textMessageHandler(text -> answered(new JsonObject(text)));
      socket.drainHandler(drained -> fill());
      socket.closeHandler(
          closed -> repeat.fail(new IllegalStateException("closed: " + socket.closeReason())));
      fill();
    }

    /**
     * In bursts, between which other tasks run. Netty reads only when there are no tasks, or once a
     * second: hence the limit of what is under way.
     */
    private void fill() {
      if (!goesOn) {
        burst();
      }
    }

    private void burst() {
      int room = BURST_BYTES;
      while (room > 0 && hasRoom()) {
        Buffer frame = frames.next();
        room -= frame.length();
        sent += size;
        underWay.add(new Sent(sent, System.nanoTime()));
        socket.writeBinaryMessage(frame);
      }
      goesOn = hasRoom();
      if (goesOn) {
        context.runOnContext(next -> burst());
      }
    }

    private boolean hasRoom() {
      return !repeat.ended() && underWay.size() < mostUnderWay && !socket.writeQueueFull();
    }

    private void answered(JsonObject frame) {
      if (frame.containsKey("rejected")) {
        repeat.fail(new IllegalStateException("not all were taken: " + frame));
      }
      long acked = frame.getLong("acked");
      while (!underWay.isEmpty() && underWay.element().lastEvent() <= acked) {
        confirmations.add(size, underWay.remove().at());
      }
      fill();
    }
  }
}
