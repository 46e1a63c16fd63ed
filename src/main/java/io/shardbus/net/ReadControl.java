package io.shardbus.net;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.websocketx.WebSocket08FrameDecoder;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.impl.HttpServerConnection;
import java.util.function.LongPredicate;

/**
 * Has a connection of HTTP/1 or a WebSocket be read from, or not. What has been read already comes
 * nevertheless: 64 KiB at most. What Vert.x pauses is read until two dozen messages have come,
 * however large they are, and offers no other way: hence the use of what is behind it. Belongs to
 * the client's event loop.
 */
public final class ReadControl {

  private final Channel channel;
  private boolean paused;

  /**
   * @param connection the connection of a request or WebSocket
   */
  public ReadControl(HttpConnection connection) {
    channel = ((HttpServerConnection) connection).channelHandlerContext().channel();
  }

  /**
   * Only for a WebSocket: has its frames be decoded by a decoder that says what it holds.
   *
   * @param maxFrameBytes the largest frame
   * @param fits told how many bytes of a frame are held, whenever that changes; once it says no,
   *     nothing more is taken in
   */
  public void meterFrames(int maxFrameBytes, LongPredicate fits) {
    ChannelPipeline pipeline = channel.pipeline();
    ChannelHandlerContext decoder = pipeline.context(WebSocket08FrameDecoder.class);
    if (decoder != null) { // else the client has gone meanwhile
      pipeline.replace(
          decoder.handler(), decoder.name(), new MeteredFrameDecoder(maxFrameBytes, fits));
    }
  }

  /** Only for a WebSocket: of others, Vert.x keeps books of its own. */
  public void resume() {
    if (paused) {
      paused = false;
      channel.config().setAutoRead(true);
    }
  }

  /** To be said again with every message that still comes: Vert.x may have opened it. */
  public void pause() {
    paused = true;
    channel.config().setAutoRead(false);
  }

  /**
   * Only for a WebSocket: ends the connection below Vert.x, which would wait for its last words.
   */
  @SuppressWarnings("FutureReturnValueIgnored") // nobody is left to be told
  public void abort() {
    ChannelHandlerContext decoder = channel.pipeline().context(MeteredFrameDecoder.class);
    if (decoder != null) { // else it has ended
      decoder.close();
    }
  }
}
