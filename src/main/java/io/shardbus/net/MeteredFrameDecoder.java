package io.shardbus.net;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.websocketx.WebSocket13FrameDecoder;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import io.netty.util.ReferenceCountUtil;
import java.util.List;
import java.util.function.LongPredicate;

/**
 * Decodes the frames of a WebSocket as the decoder of Vert.x does, and reports how much it holds of
 * an incomplete frame.
 */
final class MeteredFrameDecoder extends WebSocket13FrameDecoder {

  private final LongPredicate fits;
  private long held;
  private boolean full;

  /**
   * @param fits told the number of held bytes whenever it changes; if it returns false, the decoder
   *     takes no more
   */
  MeteredFrameDecoder(int maxFrameBytes, LongPredicate fits) {
    super(
        WebSocketDecoderConfig.newBuilder()
            .maxFramePayloadLength(maxFrameBytes)
            .allowExtensions(false)
            .closeOnProtocolViolation(false)
            .build());
    this.fits = fits;
    // Else it would keep what it has decoded for a while, up to a MiB for each client.
    setDiscardAfterReads(1);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
    if (full) {
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
    if (!out.isEmpty()) {
      hold(0); // the receiver of the frame counts it
    }
  }

  private void hold(long bytes) {
    if (bytes != held) {
      held = bytes;
      full |= !fits.test(bytes);
    }
  }
}
