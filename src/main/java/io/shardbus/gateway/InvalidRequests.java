package io.shardbus.gateway;

import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.shardbus.net.SecurityHeaders;
import io.vertx.core.http.HttpServerRequest;

/** Answers input that is not HTTP or exceeds the limits, and ends the connection. */
final class InvalidRequests {

  private final GatewayOptions options;

  InvalidRequests(GatewayOptions options) {
    this.options = options;
  }

  void refuse(HttpServerRequest request) {
    Throwable cause = request.decoderResult().cause();
    SecurityHeaders.put(request);
    if (cause instanceof TooLongHttpLineException) {
      Problem.refuse(
          request,
          414,
          "gateway.maxUriBytes: the request line is larger than "
              + options.getMaxUriBytes()
              + " bytes");
    } else if (cause instanceof TooLongHttpHeaderException) {
      Problem.refuse(
          request,
          431,
          "gateway.maxHeaderBytes: the headers are larger than "
              + options.getMaxHeaderBytes()
              + " bytes");
    } else {
      Problem.refuse(request, 400, "this is not an HTTP request");
    }
  }
}
