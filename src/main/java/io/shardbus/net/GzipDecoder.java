package io.shardbus.net;

import io.vertx.core.buffer.Buffer;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Undoes gzip (RFC 1952), with any number of members. */
public final class GzipDecoder extends BodyDecoder {

  private static final byte[] MAGIC = {0x1f, (byte) 0x8b, 8};
  private static final int FLAGS_AT = 3;
  private static final int MAX_HEADER = 64 << 10; // with extra field, name and comment
  private static final int FIRST = 1; // the bytes that each header has
  private static final int CRC = 2;
  private static final int EXTRA = 4;
  private static final int NAME = 8;
  private static final int COMMENT = 16;

  /** What is in a header, in this order; after the first, if its flag is set. */
  private static final int[] FIELDS = {FIRST, EXTRA, NAME, COMMENT, CRC};

  private final Inflater inflater = new Inflater(true);
  private final CRC32 crc = new CRC32();
  private int headerBytes;
  private int flags;
  private int field;
  private int fieldBytes;
  private int extraBytes;
  private boolean inData;
  private boolean inTrailer;
  private int trailerBytes;
  private long trailer;

  /**
   * @param maxBytes the most bytes of the whole body, decoded
   * @param maxRatio how many bytes may come out for each byte that went in, beyond the first MiB
   */
  public GzipDecoder(long maxBytes, int maxRatio) {
    super(maxBytes, maxRatio);
  }

  @Override
  void decode(byte[] encoded, Consumer<Buffer> out) {
    int at = 0;
    while (at < encoded.length && !closed()) {
      if (inData) {
        at = inflate(encoded, at, out);
      } else if (inTrailer) {
        trailer(encoded[at++]);
      } else {
        header(encoded[at++]);
      }
    }
  }

  /** Where it goes on behind the data. */
  private int inflate(byte[] in, int at, Consumer<Buffer> out) {
    inflater.setInput(in, at, in.length - at);
    byte[] part = new byte[CHUNK_BYTES];
    try {
      while (!inflater.finished()) {
        int n = inflater.inflate(part);
        if (n > 0) {
          crc.update(part, 0, n);
          out.accept(Buffer.buffer(Arrays.copyOf(part, n)));
          if (closed()) {
            return in.length;
          }
        } else if (inflater.needsDictionary()) {
          throw broken();
        } else if (inflater.needsInput()) {
          return in.length;
        }
      }
    } catch (DataFormatException e) {
      throw broken();
    }
    inData = false;
    inTrailer = true;
    return in.length - inflater.getRemaining();
  }

  private void trailer(byte next) {
    trailer |= (next & 0xffL) << (Byte.SIZE * trailerBytes);
    if (++trailerBytes < Long.BYTES) {
      return;
    }
    if (trailer != (inflater.getBytesWritten() << Integer.SIZE | crc.getValue())) {
      throw broken();
    }
    crc.reset();
    inflater.reset();
    inTrailer = false;
    trailerBytes = 0;
    trailer = 0;
  }

  /** None of it is kept, however it is cut. */
  private void header(byte next) {
    if (headerBytes == FLAGS_AT) {
      flags = next;
    }
    if ((headerBytes < MAGIC.length && next != MAGIC[headerBytes]) || headerBytes++ == MAX_HEADER) {
      throw broken();
    }
    if (!endsField(next)) {
      return;
    }
    fieldBytes = 0;
    do {
      field++;
    } while (field < FIELDS.length && (flags & FIELDS[field]) == 0);
    if (field == FIELDS.length) {
      inData = true;
      field = 0;
      headerBytes = 0;
      extraBytes = 0;
    }
  }

  private boolean endsField(byte next) {
    int at = fieldBytes++;
    switch (FIELDS[field]) {
      case FIRST:
        return at == 9;
      case EXTRA:
        if (at < 2) { // its length
          extraBytes |= (next & 0xff) << (Byte.SIZE * at);
        }
        return at > 0 && at == 1 + extraBytes;
      case CRC:
        return at == 1;
      default:
        return next == 0;
    }
  }

  private static BrokenBodyException broken() {
    return new BrokenBodyException("Content-Encoding: the body is not gzip, or is damaged");
  }

  @Override
  boolean complete() {
    return !inData && !inTrailer && headerBytes == 0;
  }

  @Override
  void free() {
    inflater.end();
  }
}
