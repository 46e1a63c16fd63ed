package io.shardbus.gateway;

import io.netty.channel.Channel;
import io.netty.handler.codec.http.websocketx.WebSocket08FrameDecoder;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.impl.HttpServerConnection;

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
