package io.shardbus.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocket13FrameDecoder;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import io.netty.util.ReferenceCountUtil;
import java.util.List;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Decodes the frames of a WebSocket as the decoder of Vert.x does, and reports how much it holds of
 * an incomplete frame.
 */
final class MeteredFrameDecoder extends WebSocket13FrameDecoder {

  private final LongPredicate fits;
  private final Runnable onClose;
  private long held;
  private boolean full;
  private @Nullable CloseWebSocketFrame close;

  /**
   * @param fits told the number of held bytes whenever it changes; if it returns false, the decoder
   *     takes no more
   * @param onClose told when the client closes. The frame is held back until {@link #passClose}
   */
  MeteredFrameDecoder(int maxFrameBytes, LongPredicate fits, Runnable onClose) {
    super(
        WebSocketDecoderConfig.newBuilder()
            .maxFramePayloadLength(maxFrameBytes)
            .allowExtensions(false)
            .closeOnProtocolViolation(false)
            .build());
    this.fits = fits;
    this.onClose = onClose;
    // Else it would keep what it has decoded for a while, up to a MiB for each client.
    setDiscardAfterReads(1);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
    if (full || close != null) { // what comes behind a Close does not count
      ReferenceCountUtil.release(message);
      return;
    }
    super.channelRead(context, message);
    hold(actualReadableBytes());
  }

  @Override
  protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out)
      throws Exception {
    super.decode(context, in, out);
    if (out.isEmpty()) {
      return;
    }
    hold(0); // the receiver of the frame counts it
    if (out.get(out.size() - 1) instanceof CloseWebSocketFrame frame) {
      out.remove(out.size() - 1);
      close = new CloseWebSocketFrame(true, 0, Unpooled.copiedBuffer(frame.content()));
      frame.release();
      in.skipBytes(in.readableBytes());
      onClose.run();
    }
  }

  /** Lets Vert.x see the Close that was held back, which it answers with the same code. */
  void passClose(ChannelHandlerContext context) {
    if (close != null) {
      context.fireChannelRead(close);
      context.fireChannelReadComplete();
    }
  }

  private void hold(long bytes) {
    if (bytes != held) {
      held = bytes;
      full |= !fits.test(bytes);
    }
  }
}
