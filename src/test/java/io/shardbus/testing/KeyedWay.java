package io.shardbus.testing;

import io.shardbus.ShardBus;
import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/** A way into the bus, for one thread, that tells a checker what became of each event. */
public interface KeyedWay {

  /** Pushes events in their order. */
  void push(List<KeyedEvent> events) throws Exception;

  /** Waits until the bus has said of each event whether it took it. */
  default void settle() throws Exception {}

  long PAUSE_WHEN_REFUSED_NANOS = 200_000;
  int MOST_IN_FLIGHT = 256;
  int PATIENCE_SECONDS = 15;

  /** By {@link ShardBus#ingest}. */
  static KeyedWay single(ShardBus bus, KeyOrderChecker checker) {
    return events -> {
      for (KeyedEvent event : events) {
        if (bus.ingest(event.raw()).accepted()) {
          checker.accepted(event.key(), event.place());
        } else {
          checker.refused(event.key(), event.place());
          LockSupport.parkNanos(PAUSE_WHEN_REFUSED_NANOS);
        }
      }
    };
  }

  /** By {@link ShardBus#ingestBatch}, which does not say which it took if it did not take all. */
  static KeyedWay batch(ShardBus bus, KeyOrderChecker checker) {
    return events -> {
      List<RawEvent> batch = events.stream().map(KeyedEvent::raw).toList();
      int accepted = bus.ingestBatch(batch).accepted();
      if (accepted == events.size()) {
        events.forEach(event -> checker.accepted(event.key(), event.place()));
      } else {
        LockSupport.parkNanos(PAUSE_WHEN_REFUSED_NANOS);
      }
    };
  }

  /** By whatever answers with a future. */
  static KeyedWay futures(Function<RawEvent, ? extends Future<?>> way, KeyOrderChecker checker) {
    Semaphore room = new Semaphore(MOST_IN_FLIGHT);
    return new KeyedWay() {
      @Override
      public void push(List<KeyedEvent> events) throws Exception {
        for (KeyedEvent event : events) {
          acquire(room, 1);
          way.apply(event.raw())
              .onComplete(
                  answer -> {
                    if (answer.succeeded()) {
                      checker.accepted(event.key(), event.place());
                    } else if (!(answer.cause() instanceof NotDeliveredException e
                        && e.reason() == Outcome.UNKNOWN)) {
                      checker.refused(event.key(), event.place());
                    }
                    room.release();
                  });
        }
      }

      @Override
      public void settle() throws Exception {
        acquire(room, MOST_IN_FLIGHT);
        room.release(MOST_IN_FLIGHT);
      }
    };
  }

  /** Over a WebSocket, a message for each call. */
  static KeyedWay webSocket(Vertx vertx, int port, KeyOrderChecker checker) throws Exception {
    WebSocketClient client = vertx.createWebSocketClient();
    WebSocket socket =
        client
            .connect(port, "127.0.0.1", "/v1/ingest?ack=accepted&keyPath=" + KeyedEvent.KEY_PATH)
            .toCompletionStage()
            .toCompletableFuture()
            .get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    return new SocketWay(client, socket, checker);
  }

  /** Of a socket that was refused nothing, all is accepted that is acknowledged. */
  final class SocketWay implements KeyedWay {

    /** Else it would be closed once it is garbage, and its socket with it. */
    @SuppressWarnings("UnusedVariable")
    private final WebSocketClient client;

    private final WebSocket socket;
    private final KeyOrderChecker checker;
    private final Semaphore room = new Semaphore(MOST_IN_FLIGHT);
    private final Queue<KeyedEvent> open = new ConcurrentLinkedQueue<>();
    private long settled;
    private volatile boolean ended;

    SocketWay(WebSocketClient client, WebSocket socket, KeyOrderChecker checker) {
      this.client = client;
      this.socket = socket;
      this.checker = checker;
      socket.textMessageHandler(text -> answered(new JsonObject(text)));
      socket.closeHandler(
          closed -> {
            ended = true;
            room.release(MOST_IN_FLIGHT);
          });
    }

    private void answered(JsonObject frame) {
      JsonObject rejected = frame.getJsonObject("rejected", new JsonObject());
      long known = frame.getLong("acked");
      for (String reason : rejected.fieldNames()) {
        known += rejected.getLong(reason);
      }
      for (; settled < known; settled++) {
        KeyedEvent event = open.remove();
        if (rejected.isEmpty()) {
          checker.accepted(event.key(), event.place());
        }
        room.release();
      }
    }

    @Override
    public void push(List<KeyedEvent> events) throws Exception {
      Buffer lines = Buffer.buffer();
      for (KeyedEvent event : events) {
        lines.appendBuffer(event.json()).appendByte((byte) '\n');
      }
      acquire(room, events.size());
      if (!ended) {
        open.addAll(events);
        socket.writeBinaryMessage(lines);
      }
    }

    @Override
    public void settle() throws Exception {
      acquire(room, MOST_IN_FLIGHT);
      room.release(MOST_IN_FLIGHT);
    }
  }

  private static void acquire(Semaphore room, int permits) throws Exception {
    if (!room.tryAcquire(permits, PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      throw new TimeoutException("the bus does not answer");
    }
  }
}
