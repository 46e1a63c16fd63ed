package io.shardbus.bench;

import io.vertx.core.buffer.Buffer;
import java.util.SplittableRandom;
import net.openhft.hashing.LongHashFunction;

/**
 * What producers hand over: random bytes, as an array and as a buffer over the same array, with
 * their hash and a key for those who take one.
 */
record Payload(byte[] bytes, Buffer buffer, long hash, String key) {

  private static final LongHashFunction XXH3 = LongHashFunction.xx3();

  /** As many as fit into the cache of a core, and at least 64, so that all shards get some. */
  static Payload[] pool(int size) {
    SplittableRandom random = new SplittableRandom(42);
    Payload[] pool = new Payload[Math.max(64, Math.min(1024, (256 << 10) / size))];
    for (int i = 0; i < pool.length; i++) {
      byte[] bytes = new byte[size];
      random.nextBytes(bytes);
      pool[i] = new Payload(bytes, Buffer.buffer(bytes), XXH3.hashBytes(bytes), "customer-" + i);
    }
    return pool;
  }

  long computeHash() {
    return XXH3.hashBytes(bytes);
  }
}
