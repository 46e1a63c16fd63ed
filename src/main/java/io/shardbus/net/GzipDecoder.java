package io.shardbus.net;

import io.vertx.core.buffer.Buffer;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Undoes gzip (RFC 1952), with any number of members. */
public final class GzipDecoder extends BodyDecoder {

  private static final int HEADER = 10;
  private static final int TRAILER = 8;
  private static final int MAX_HEADER = 64 << 10; // with extra field, name and comment
  private static final int HAS_CRC = 2;
  private static final int HAS_EXTRA = 4;
  private static final int HAS_NAME = 8;
  private static final int HAS_COMMENT = 16;

  private final Inflater inflater = new Inflater(true);
  private final CRC32 crc = new CRC32();
  private byte[] kept = new byte[0]; // of a header or trailer that is not whole
  private boolean inData;
  private boolean inTrailer;

  /**
   * @param maxBytes the most bytes of the whole body, decoded
   * @param maxRatio how many bytes may come out for each byte that went in, beyond the first MiB
   */
  public GzipDecoder(long maxBytes, int maxRatio) {
    super(maxBytes, maxRatio);
  }

  @Override
  void decode(byte[] encoded, Consumer<Buffer> out) {
    byte[] in = encoded;
    while (in.length > 0 && !closed()) {
      if (inData) {
        in = inflate(in, out);
        continue;
      }
      in = join(kept, in);
      int length = inTrailer ? (in.length < TRAILER ? -1 : TRAILER) : headerLength(in);
      if (length < 0) {
        if (in.length > MAX_HEADER) {
          throw broken();
        }
        kept = in;
        return;
      }
      if (inTrailer) {
        checkTrailer(in);
      }
      inData = !inTrailer;
      inTrailer = false;
      kept = new byte[0];
      in = Arrays.copyOfRange(in, length, in.length);
    }
  }

  /** What is left of the input. */
  private byte[] inflate(byte[] in, Consumer<Buffer> out) {
    inflater.setInput(in);
    byte[] part = new byte[CHUNK_BYTES];
    try {
      while (!inflater.finished()) {
        int n = inflater.inflate(part);
        if (n > 0) {
          crc.update(part, 0, n);
          out.accept(Buffer.buffer(Arrays.copyOf(part, n)));
          if (closed()) {
            return new byte[0];
          }
        } else if (inflater.needsDictionary()) {
          throw broken();
        } else if (inflater.needsInput()) {
          return new byte[0];
        }
      }
    } catch (DataFormatException e) {
      throw broken();
    }
    inData = false;
    inTrailer = true;
    return Arrays.copyOfRange(in, in.length - inflater.getRemaining(), in.length);
  }

  private void checkTrailer(byte[] in) {
    if (number(in, 0) != crc.getValue()
        || number(in, 4) != (inflater.getBytesWritten() & 0xffffffffL)) {
      throw broken();
    }
    crc.reset();
    inflater.reset();
  }

  private static long number(byte[] in, int at) {
    return (in[at] & 0xffL)
        | (in[at + 1] & 0xffL) << 8
        | (in[at + 2] & 0xffL) << 16
        | (in[at + 3] & 0xffL) << 24;
  }

  /** -1 if it is not whole. */
  private static int headerLength(byte[] in) {
    byte[] magic = {0x1f, (byte) 0x8b, 8};
    int known = Math.min(magic.length, in.length);
    if (!Arrays.equals(in, 0, known, magic, 0, known)) {
      throw broken();
    }
    if (in.length < HEADER) {
      return -1;
    }
    int flags = in[3];
    int at = HEADER;
    if ((flags & HAS_EXTRA) != 0) {
      at =
          in.length < at + 2
              ? in.length + 1
              : at + 2 + (in[at] & 0xff) + ((in[at + 1] & 0xff) << 8);
    }
    for (int text : new int[] {HAS_NAME, HAS_COMMENT}) {
      if ((flags & text) != 0) {
        while (at < in.length && in[at] != 0) {
          at++;
        }
        at++;
      }
    }
    at += (flags & HAS_CRC) != 0 ? 2 : 0;
    return at > in.length ? -1 : at;
  }

  private static byte[] join(byte[] first, byte[] next) {
    if (first.length == 0) {
      return next;
    }
    byte[] all = Arrays.copyOf(first, first.length + next.length);
    System.arraycopy(next, 0, all, first.length, next.length);
    return all;
  }

  private static BrokenBodyException broken() {
    return new BrokenBodyException("Content-Encoding: the body is not gzip, or is damaged");
  }

  @Override
  boolean complete() {
    return !inData && !inTrailer && kept.length == 0;
  }

  @Override
  void free() {
    inflater.end();
  }
}
