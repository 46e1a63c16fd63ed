package io.shardbus.gateway;

import io.shardbus.event.Outcome;
import io.shardbus.net.BodyDecoder;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClosedException;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.StreamResetException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The body of a request that sends events, as it was before it was compressed, and without a
 * byte-order mark before it. For one event loop.
 */
final class RequestBody {

  private static final byte[] MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};
  private static final int MARK_NUMBER = 0xefbbbf;

  private final HttpServerRequest request;
  private final @Nullable BodyDecoder decoder;
  private final Webhooks.@Nullable Signature signature;
  private final Reader reader;
  private int marked; // bytes of the mark that have come; negative if there will be no more

  /** Gets the body. */
  interface Reader {

    void chunk(Buffer chunk);

    void end();

    /** There will be no more, because what came is no body. The client can be told. */
    void broken(Outcome reason, String detail);

    /** There will be no more, and nobody who could be told. */
    void gone();
  }

  /**
   * @param decoder undoes its encoding; null for none
   * @param signature of the body; null for none
   * @param text whether a byte-order mark may be before it
   */
  RequestBody(
      HttpServerRequest request,
      @Nullable BodyDecoder decoder,
      Webhooks.@Nullable Signature signature,
      boolean text,
      Reader reader) {
    this.signature = signature;
    this.request = request;
    this.decoder = decoder;
    this.reader = reader;
    marked = text ? 0 : -1;
  }

  /** Takes a byte-order mark off text that is whole. */
  static Buffer withoutMark(Buffer text) {
    return text.length() >= MARK.length && text.getUnsignedMedium(0) == MARK_NUMBER
        ? text.slice(MARK.length, text.length())
        : text;
  }

  void begin() {
    request.handler(this::read);
    request.endHandler(end -> end());
    request.exceptionHandler(this::failed);
  }

  private void read(Buffer bytes) {
    if (signature != null) {
      signature.update(bytes);
    }
    if (decoder == null) {
      unmarked(bytes);
      return;
    }
    try {
      decoder.feed(bytes, this::unmarked);
    } catch (BodyDecoder.BrokenBodyException e) {
      reader.broken(Outcome.INVALID, String.valueOf(e.getMessage()));
    } catch (BodyDecoder.BodyTooLargeException e) {
      reader.broken(Outcome.TOO_LARGE, String.valueOf(e.getMessage()));
    } catch (BodyDecoder.NoMemoryException e) {
      reader.broken(Outcome.NO_MEMORY, String.valueOf(e.getMessage()));
    }
  }

  private void unmarked(Buffer bytes) {
    if (marked < 0) {
      reader.chunk(bytes);
      return;
    }
    int at = 0;
    while (marked < MARK.length && at < bytes.length() && bytes.getByte(at) == MARK[marked]) {
      at++;
      marked++;
    }
    if (at == bytes.length() && marked < MARK.length) {
      return;
    }
    if (marked < MARK.length) {
      giveBack();
    }
    marked = -1;
    if (at < bytes.length()) {
      reader.chunk(at == 0 ? bytes : bytes.slice(at, bytes.length()));
    }
  }

  /** It was no mark. */
  private void giveBack() {
    if (marked > 0) {
      reader.chunk(Buffer.buffer(java.util.Arrays.copyOf(MARK, marked)));
    }
  }

  private void end() {
    if (decoder != null) {
      try {
        decoder.end();
      } catch (BodyDecoder.BrokenBodyException e) {
        reader.broken(Outcome.INVALID, String.valueOf(e.getMessage()));
        return;
      }
    }
    giveBack();
    reader.end();
  }

  private void failed(Throwable failure) {
    boolean gone =
        failure instanceof HttpClosedException
            || failure instanceof StreamResetException
            || failure instanceof IOException;
    if (gone) {
      reader.gone();
    } else {
      reader.broken(Outcome.INVALID, "the body is no HTTP: a chunk of it is malformed");
    }
  }

  /** Whether the whole body is the one that was signed, if it was. */
  boolean authentic() {
    return signature == null || signature.matches();
  }

  /** No more of it is wanted. */
  void drop() {
    if (decoder != null) {
      decoder.close();
    }
  }
}
