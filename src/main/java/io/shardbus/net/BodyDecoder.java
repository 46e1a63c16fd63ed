package io.shardbus.net;

import io.vertx.core.buffer.Buffer;
import java.util.function.Consumer;

/**
 * Undoes the compression of a body that comes in chunks. Bounds what comes out, in bytes and beside
 * what went in, so that a small body cannot become a huge one. For one event loop.
 */
public abstract class BodyDecoder implements AutoCloseable {

  /** The most bytes that are given out at once. */
  static final int CHUNK_BYTES = 16 << 10;

  /** What may come out whatever the ratio is: short bodies may be very regular. */
  private static final long FREE_BYTES = 1 << 20;

  /** A body that is not what it says it is. Stackless: it describes input. */
  public static final class BrokenBodyException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    BrokenBodyException(String what) {
      super(what, null, false, false);
    }
  }

  /** A body out of which too much comes. Stackless: it describes input. */
  public static final class BodyTooLargeException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    BodyTooLargeException(String what) {
      super(what, null, false, false);
    }
  }

  /** There is no memory to go on with. Stackless: it describes input. */
  public static final class NoMemoryException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    NoMemoryException(String what) {
      super(what, null, false, false);
    }
  }

  private final long maxBytes;
  private final int maxRatio;
  private long taken;
  private long given;
  private boolean closed;

  /**
   * @param maxBytes the most bytes of the whole body, decoded
   * @param maxRatio how many bytes may come out for each byte that went in, beyond the first MiB
   */
  BodyDecoder(long maxBytes, int maxRatio) {
    this.maxBytes = maxBytes;
    this.maxRatio = maxRatio;
  }

  /**
   * Takes the next bytes.
   *
   * @param encoded the bytes
   * @param out given what comes out, in parts; may close the decoder, which ends it
   * @throws BrokenBodyException if they are not in this encoding
   * @throws BodyTooLargeException if too much comes out; says which bound
   * @throws NoMemoryException if it needs more memory than is left
   */
  public void feed(Buffer encoded, Consumer<Buffer> out) {
    taken += encoded.length();
    decode(
        encoded.getBytes(),
        part -> {
          given += part.length();
          if (given > maxBytes) {
            throw new BodyTooLargeException(
                "gateway.maxDecodedBytes: the decoded body is larger than " + maxBytes + " bytes");
          }
          if (given > FREE_BYTES && given / maxRatio > taken) {
            throw new BodyTooLargeException(
                "gateway.maxDecodedRatio: the decoded body is more than "
                    + maxRatio
                    + " times as large as the encoded one");
          }
          out.accept(part);
        });
  }

  /**
   * Takes the end of the body.
   *
   * @throws BrokenBodyException if it must not end here
   */
  public void end() {
    if (taken == 0 || !complete()) {
      throw new BrokenBodyException("Content-Encoding: the body ends too early");
    }
  }

  /** Whether the body may end here. */
  abstract boolean complete();

  /** Gives out parts of at most {@link #CHUNK_BYTES} until nothing is left, or it is closed. */
  abstract void decode(byte[] encoded, Consumer<Buffer> out);

  /** {@return whether it was closed} */
  final boolean closed() {
    return closed;
  }

  /** Gives its memory back. Can be called several times. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      free();
    }
  }

  /** Gives memory back that is not on the heap. */
  abstract void free();
}
