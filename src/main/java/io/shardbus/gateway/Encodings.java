package io.shardbus.gateway;

import io.shardbus.net.BodyDecoder;
import io.shardbus.net.GzipDecoder;
import io.shardbus.net.ZstdDecoder;
import io.shardbus.options.OptionalLibrary;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The compressed forms of bodies that the gateway takes. */
final class Encodings {

  private static final boolean ZSTD = OptionalLibrary.isThere(ZstdDecoder.LIBRARY);

  /** Their names, as HTTP lists them. */
  static final String NAMES = ZSTD ? "gzip, zstd" : "gzip";

  private Encodings() {}

  /** The encoding of a request's body; empty for none. */
  static String of(HttpServerRequest request) {
    String encoding = request.getHeader(HttpHeaders.CONTENT_ENCODING);
    String name = encoding == null ? "" : encoding.strip().toLowerCase(Locale.ROOT);
    return name.equals("identity") ? "" : name;
  }

  static boolean known(String encoding) {
    return encoding.isEmpty()
        || encoding.equals("gzip")
        || encoding.equals("x-gzip")
        || (ZSTD && encoding.equals("zstd"));
  }

  /** Undoes a known encoding; null if there is nothing to undo. */
  static @Nullable BodyDecoder decoder(String encoding, GatewayOptions options) {
    if (encoding.isEmpty()) {
      return null;
    }
    long bytes = options.getMaxDecodedBytes();
    int ratio = options.getMaxDecodedRatio();
    return encoding.equals("zstd") ? new ZstdDecoder(bytes, ratio) : new GzipDecoder(bytes, ratio);
  }
}
