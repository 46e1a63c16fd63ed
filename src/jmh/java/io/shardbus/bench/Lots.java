package io.shardbus.bench;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Events as they travel, some together: JSON objects of one size, all different. */
final class Lots {

  static final int EVENT_BYTES = 128;

  /** How many lots may be on their way where each is answered. */
  static final int UNDER_WAY = 16;

  private static final int DIFFERENT_EVENTS = 256;

  private final int size;
  private final List<List<byte[]>> lots = new ArrayList<>();

  /**
   * @param size how many events travel together
   */
  Lots(int size) {
    this.size = size;
    for (int first = 0; first < DIFFERENT_EVENTS; first += size) {
      List<byte[]> lot = new ArrayList<>(size);
      for (int i = 0; i < size; i++) {
        lot.add(event(first + i));
      }
      lots.add(lot);
    }
  }

  private static byte[] event(int number) {
    String start = "{\"event\":\"" + number + "-";
    String text = start + "x".repeat(EVENT_BYTES - start.length() - 2) + "\"}";
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  int size() {
    return size;
  }

  /** Makes of each lot what is sent, once and for all. */
  <T> Cycle<T> as(Function<List<byte[]>, T> maker) {
    return new Cycle<>(lots.stream().map(maker).toList());
  }

  /** Things that come again and again. Used by one thread. */
  static final class Cycle<T> {

    private final List<T> all;
    private int next;

    Cycle(List<T> all) {
      this.all = all;
    }

    T next() {
      T one = all.get(next);
      next = next + 1 == all.size() ? 0 : next + 1;
      return one;
    }
  }
}
