package io.shardbus.bench;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

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
    this(size, IntStream.range(0, DIFFERENT_EVENTS).mapToObj(Lots::event).toList());
  }

  /**
   * @param size how many events travel together
   * @param events at least as many; a rest that fills no lot is left out
   */
  Lots(int size, List<byte[]> events) {
    this.size = size;
    for (int first = 0; first + size <= events.size(); first += size) {
      lots.add(events.subList(first, first + size));
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
