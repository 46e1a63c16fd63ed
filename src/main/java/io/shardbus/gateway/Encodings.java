package io.shardbus.gateway;

import com.github.luben.zstd.Zstd;
import io.shardbus.net.BodyDecoder;
import io.shardbus.net.GzipDecoder;
import io.shardbus.net.ZstdDecoder;
import io.shardbus.options.OptionalLibrary;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.ParsedHeaderValue;
import io.vertx.ext.web.RoutingContext;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Locale;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/** The compressed forms of bodies, of requests and of answers. */
final class Encodings {

  static final String NONE = "";

  private static final String GZIP = "gzip";
  private static final String ZSTANDARD = "zstd";
  private static final boolean ZSTD = OptionalLibrary.isThere(ZstdDecoder.LIBRARY);

  /** Their names, as HTTP lists them. */
  static final String NAMES = ZSTD ? "gzip, zstd" : GZIP;

  /** Those of answers; the quicker one first. */
  private static final List<String> ANSWERS = ZSTD ? List.of(ZSTANDARD, GZIP) : List.of(GZIP);

  /** The lowest level, for both. JSON becomes little smaller by a higher one. */
  private static final int LEVEL = 1;

  private Encodings() {}

  /** The encoding of a request's body; empty for none. */
  static String of(HttpServerRequest request) {
    if (!request.headers().contains(HttpHeaders.CONTENT_ENCODING)) {
      return NONE;
    }
    // Each line is another encoding.
    String all = String.join(", ", request.headers().getAll(HttpHeaders.CONTENT_ENCODING));
    String name = all.strip().toLowerCase(Locale.ROOT);
    return name.equals("identity") ? "" : name;
  }

  static boolean known(String encoding) {
    return encoding.isEmpty()
        || encoding.equals(GZIP)
        || encoding.equals("x-gzip")
        || (ZSTD && encoding.equals(ZSTANDARD));
  }

  /** Undoes a known encoding; null if there is nothing to undo. */
  static @Nullable BodyDecoder decoder(String encoding, IngestResources resources) {
    if (encoding.isEmpty()) {
      return null;
    }
    long bytes = resources.options().getMaxDecodedBytes();
    int ratio = resources.options().getMaxDecodedRatio();
    return encoding.equals(ZSTANDARD)
        ? new ZstdDecoder(bytes, ratio, resources.budget())
        : new GzipDecoder(bytes, ratio);
  }

  /** The encoding that a client likes best for an answer. */
  static String wanted(RoutingContext context) {
    String best = NONE;
    float most = 0;
    for (String name : ANSWERS) {
      float weight = weight(context.parsedHeaders().acceptEncoding(), name);
      if (weight > most) {
        best = name;
        most = weight;
      }
    }
    return best;
  }

  private static float weight(List<ParsedHeaderValue> accepted, String name) {
    float others = 0;
    for (ParsedHeaderValue each : accepted) {
      if (each.value().equalsIgnoreCase(name)) {
        return each.weight();
      }
      others = each.value().equals("*") ? each.weight() : others;
    }
    return others;
  }

  /** Compresses an answer. Takes about 10 ms for a MiB. */
  static Buffer encode(String encoding, Buffer body) throws IOException {
    if (encoding.equals(ZSTANDARD)) {
      return Buffer.buffer(Zstd.compress(body.getBytes(), LEVEL));
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(body.length() / 4);
    try (OutputStream gzip =
        new GZIPOutputStream(bytes) {
          {
            def.setLevel(LEVEL);
          }
        }) {
      gzip.write(body.getBytes());
    }
    return Buffer.buffer(bytes.toByteArray());
  }
}
