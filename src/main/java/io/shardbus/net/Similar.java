package io.shardbus.net;

import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/** Finds the name that somebody probably meant. Safe for any thread. */
public final class Similar {

  private Similar() {}

  /**
   * The nearest name, without regard to case.
   *
   * @param given what was written
   * @param names the names that are known
   * @param most how many letters may be wrong for a name to be like the given one
   * @return the nearest name; empty if none is like it
   */
  public static Optional<String> nearest(
      String given, Stream<String> names, ToIntFunction<String> most) {
    String written = given.toLowerCase(Locale.ROOT);
    ToIntFunction<String> distance = name -> distance(written, name.toLowerCase(Locale.ROOT));
    return names
        .filter(name -> distance.applyAsInt(name) <= most.applyAsInt(name))
        .min(Comparator.comparingInt(distance));
  }

  /** How many letters to add, drop, change or swap with the next (optimal string alignment). */
  private static int distance(String a, String b) {
    int[][] d = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          d[i][j] = i + j;
          continue;
        }
        int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        d[i][j] = Math.min(d[i - 1][j - 1] + change, 1 + Math.min(d[i - 1][j], d[i][j - 1]));
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    return d[a.length()][b.length()];
  }
}
