package io.shardbus.net;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.websocketx.WebSocket08FrameDecoder;
import io.netty.handler.codec.http.websocketx.extensions.WebSocketServerExtensionHandler;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.impl.HttpServerConnection;
import java.util.function.LongPredicate;

/**
 * Starts and stops reading from a WebSocket. Bytes that were read already still come: 64 KiB at
 * most. If Vert.x itself pauses, it reads on until two dozen messages have come, however large they
 * are. It offers no other way, so this class uses its internals. Belongs to the event loop of the
 * client.
 */
public final class ReadControl {

  private final Channel channel;
  private boolean paused;

  /**
   * @param connection the connection of a WebSocket. The WebSocket itself cannot be asked: a router
   *     wraps it
   */
  public ReadControl(HttpConnection connection) {
    channel = ((HttpServerConnection) connection).channelHandlerContext().channel();
  }

  /**
   * Agrees to no extension. The decoder of {@link #meterFrames} knows none, and a small frame could
   * become an endless message.
   *
   * @param connection that is to become a WebSocket
   */
  public static void refuseExtensions(HttpConnection connection) {
    ChannelPipeline pipeline =
        ((HttpServerConnection) connection).channelHandlerContext().pipeline();
    if (pipeline.get(WebSocketServerExtensionHandler.class) != null) {
      pipeline.remove(WebSocketServerExtensionHandler.class);
    }
  }

  /**
   * Decodes its frames with a decoder that reports what it holds.
   *
   * @param maxFrameBytes the largest frame
   * @param fits told how many bytes of a frame are held, whenever that changes; if it returns
   *     false, nothing more is taken in
   * @param onClose told when the client closes, outside of any context. Vert.x does not see that
   *     before {@link #passClose}, because it would take no more words for the client then
   */
  public void meterFrames(int maxFrameBytes, LongPredicate fits, Runnable onClose) {
    ChannelPipeline pipeline = channel.pipeline();
    ChannelHandlerContext decoder = pipeline.context(WebSocket08FrameDecoder.class);
    if (decoder != null) { // otherwise the client has gone
      pipeline.replace(
          decoder.handler(), decoder.name(), new MeteredFrameDecoder(maxFrameBytes, fits, onClose));
    }
  }

  /** Answers the Close of the client with its code. */
  public void passClose() {
    ChannelHandlerContext decoder = channel.pipeline().context(MeteredFrameDecoder.class);
    if (decoder != null) {
      ((MeteredFrameDecoder) decoder.handler()).passClose(decoder);
    }
  }

  /** Reads on. */
  public void resume() {
    if (paused) {
      paused = false;
      channel.config().setAutoRead(true);
    }
  }

  /** Call it again with every message that still comes, because Vert.x may have resumed reading. */
  public void pause() {
    paused = true;
    channel.config().setAutoRead(false);
  }

  /** Ends the connection below Vert.x, which would wait for its last words. */
  @SuppressWarnings("FutureReturnValueIgnored") // the client has gone
  public void abort() {
    ChannelHandlerContext decoder = channel.pipeline().context(MeteredFrameDecoder.class);
    if (decoder != null) { // else it has ended
      decoder.close();
    }
  }
}
