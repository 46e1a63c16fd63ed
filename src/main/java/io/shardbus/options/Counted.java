package io.shardbus.options;

/** Counts in messages. */
public final class Counted {

  private Counted() {}

  /**
   * A number of things, such as {@code 1 event} and {@code 2 events}.
   *
   * @param count how many
   * @param thing the name of one, whose plural ends with a plain s
   * @return the number and the name
   */
  public static String of(long count, String thing) {
    return count + " " + thing + (count == 1 ? "" : "s");
  }
}
