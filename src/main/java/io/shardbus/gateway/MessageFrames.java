package io.shardbus.gateway;

import io.shardbus.event.JsonCheck;
import io.shardbus.event.Outcome;
import io.shardbus.net.Budget;
import io.shardbus.net.ReadControl;
import io.shardbus.net.WebSocketLife;
import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.WebSocketFrame;
import java.util.function.Consumer;

/**
 * Puts the frames of a WebSocket together to messages, because Vert.x would decode the text of
 * whole messages. Counts the bytes of incomplete frames and messages against the limits. For one
 * event loop.
 */
final class MessageFrames {

  private static final short NO_TEXT = 1007;
  private static final short TOO_BIG = 1009;
  private static final short TRY_AGAIN_LATER = 1013;

  private final IngestResources resources;
  private final Context context;
  private final WebSocketLife life;
  private final Consumer<Buffer> onMessage;
  private final Refusal refusal;
  private final PartialBody partial;
  private final Budget.Share unseen;
  private boolean text; // the message that has begun

  /** Told why no more is taken from the client. */
  interface Refusal {

    /**
     * @param code of RFC 6455
     * @param detail for the client
     */
    void refuse(short code, Outcome reason, String detail);
  }

  MessageFrames(
      IngestResources resources, WebSocketLife life, Consumer<Buffer> onMessage, Refusal refusal) {
    this.resources = resources;
    context = resources.vertx().getOrCreateContext();
    this.life = life;
    this.onMessage = onMessage;
    this.refusal = refusal;
    partial = new PartialBody(resources.budget());
    unseen = resources.budget().share();
  }

  /**
   * Counts the bytes of incomplete frames from now on.
   *
   * @param onClose told when the client closes
   */
  void meter(ReadControl reads, Runnable onClose) {
    reads.meterFrames(
        resources.options().getMaxFrameBytes(),
        this::hasRoom,
        // Behind the frames before it.
        () -> context.runOnContext(now -> onClose.run()));
  }

  private boolean hasRoom(long bytesOfFrame) {
    if (bytesOfFrame > 0) {
      life.heard();
    }
    life.partial(bytesOfFrame + partial.length());
    if (unseen.resize(bytesOfFrame)) {
      return true;
    }
    // The decoder asks outside of any context.
    context.runOnContext(now -> noMemory());
    return false;
  }

  /** Takes a frame of text or bytes. */
  void add(WebSocketFrame frame) {
    Buffer bytes = frame.binaryData();
    if (!frame.isContinuation()) {
      text = frame.isText();
    }
    int most = resources.options().getMaxFrameBytes();
    if (partial.length() + bytes.length() > most) {
      refusal.refuse(
          TOO_BIG,
          Outcome.TOO_LARGE,
          "gateway.maxFrameBytes: the message is larger than " + most + " bytes");
    } else if (!partial.add(bytes)) {
      noMemory();
    } else if (frame.isFinal()) {
      life.partial(0);
      Buffer message = partial.take();
      if (text && !JsonCheck.isUtf8(message)) {
        refusal.refuse(NO_TEXT, Outcome.INVALID, "a text message that is not UTF-8");
      } else {
        onMessage.accept(message);
      }
    } else {
      life.partial(partial.length());
    }
  }

  /** There is no memory for what this client sends. */
  void noMemory() {
    refusal.refuse(TRY_AGAIN_LATER, Outcome.NO_MEMORY, resources.budget().refusal());
  }

  /** Drops an incomplete message. */
  void drop() {
    partial.drop();
    life.partial(0);
  }

  /** The socket is closed. */
  void ended() {
    unseen.free();
  }
}
