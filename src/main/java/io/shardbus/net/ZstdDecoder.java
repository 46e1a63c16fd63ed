package io.shardbus.net;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import io.vertx.core.buffer.Buffer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.function.Consumer;

/** Undoes zstd (RFC 8878), with any number of frames and windows as RFC 9659 allows them. */
public final class ZstdDecoder extends BodyDecoder {

  /** A class of the library that it needs. */
  public static final String LIBRARY = "com.github.luben.zstd.Zstd";

  /** 8 MiB: the memory that a body can claim. It takes it as bytes come out. */
  private static final int WINDOW_LOG = 23;

  private final Budget budget;
  private final Budget.Share window;
  private final ZstdInputStreamNoFinalizer stream;
  private long given;
  private InputStream input = InputStream.nullInputStream();

  /**
   * @param maxBytes the most bytes of the whole body, decoded
   * @param maxRatio how many bytes may come out for each byte that went in, beyond the first MiB
   * @param budget of the memory, which is not on the heap
   */
  public ZstdDecoder(long maxBytes, int maxRatio, Budget budget) {
    super(maxBytes, maxRatio);
    this.budget = budget;
    window = budget.share();
    try {
      stream =
          new ZstdInputStreamNoFinalizer(
                  new InputStream() {
                    @Override
                    public int read() throws IOException {
                      return input.read();
                    }

                    @Override
                    public int read(byte[] into, int at, int length) throws IOException {
                      return input.read(into, at, length);
                    }

                    @Override
                    public int available() throws IOException {
                      return input.available();
                    }
                  })
              .setLongMax(WINDOW_LOG)
              .setContinuous(true); // the end of a chunk is not that of the body
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  void decode(byte[] encoded, Consumer<Buffer> out) {
    input = new ByteArrayInputStream(encoded);
    byte[] part = new byte[CHUNK_BYTES];
    try {
      for (int n = read(part); n > 0; n = read(part)) {
        given += n;
        if (!window.resize(Math.min(given, 1 << WINDOW_LOG))) {
          throw new NoMemoryException(budget.refusal());
        }
        out.accept(Buffer.buffer(Arrays.copyOf(part, n)));
      }
    } catch (IOException e) {
      throw new BrokenBodyException(
          "Content-Encoding: the body is not zstd with a window of at most 8 MiB, or is damaged");
    }
  }

  private int read(byte[] part) throws IOException {
    return closed() ? -1 : stream.read(part, 0, part.length);
  }

  @Override
  boolean complete() {
    try {
      return stream.setContinuous(false).read() < 0;
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  void free() {
    window.free();
    try {
      stream.close();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
