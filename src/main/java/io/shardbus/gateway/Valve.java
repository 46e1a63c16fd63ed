package io.shardbus.gateway;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.websocketx.WebSocket08FrameDecoder;
import io.netty.util.ReferenceCountUtil;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.impl.HttpServerConnection;
import java.util.function.LongPredicate;

/**
 * Has a connection of HTTP/1 or a WebSocket be read from, or not. What has been read already comes
 * nevertheless: 64 KiB at most. What Vert.x pauses is read until two dozen messages have come,
 * however large they are, and offers no other way: hence the use of what is behind it. Belongs to
 * the client's event loop.
 */
final class Valve {

  private final Channel channel;
  private boolean shut;

  Valve(HttpConnection connection) {
    channel = ((HttpServerConnection) connection).channelHandlerContext().channel();
  }

  static Valve ofWebSocket(HttpConnection upgraded) {
    Valve valve = new Valve(upgraded);
    // Else the decoder would keep what it has decoded for a while, up to a MiB for each client.
    valve.channel.pipeline().get(WebSocket08FrameDecoder.class).setDiscardAfterReads(1);
    return valve;
  }

  /**
   * Has a WebSocket's frames watched while they come: the decoder keeps what it has of one, and
   * gives it only when it is complete.
   *
   * @param fits asked with how many bytes have come of a frame that is not complete, but for those
   *     that came with the end of the one before; once it says no, nothing more is taken in
   */
  void watchFrames(LongPredicate fits) {
    ChannelPipeline pipeline = channel.pipeline();
    String decoder = pipeline.context(WebSocket08FrameDecoder.class).name();
    PartOfFrame part = new PartOfFrame(fits);
    pipeline.addBefore(decoder, null, part);
    pipeline.addAfter(decoder, null, part.end());
  }

  private static final class PartOfFrame extends ChannelInboundHandlerAdapter {

    private final LongPredicate fits;
    private long bytes;
    private boolean complete;
    private boolean full;

    PartOfFrame(LongPredicate fits) {
      this.fits = fits;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      if (full) {
        ReferenceCountUtil.release(message);
        return;
      }
      int more = ((ByteBuf) message).readableBytes();
      complete = false;
      context.fireChannelRead(message);
      if (!complete) {
        bytes += more;
        full = !fits.test(bytes);
      }
    }

    /** Where frames come out. */
    ChannelInboundHandlerAdapter end() {
      return new ChannelInboundHandlerAdapter() {
        @Override
        public void channelRead(ChannelHandlerContext context, Object frame) {
          complete = true;
          if (bytes > 0) {
            bytes = 0;
            full |= !fits.test(0);
          }
          context.fireChannelRead(frame);
        }
      };
    }
  }

  /** Only for a WebSocket: of others, Vert.x keeps books of its own. */
  void open() {
    if (shut) {
      shut = false;
      channel.config().setAutoRead(true);
    }
  }

  /** To be said again with every message that still comes: Vert.x may have opened it. */
  void shut() {
    shut = true;
    channel.config().setAutoRead(false);
  }
}
