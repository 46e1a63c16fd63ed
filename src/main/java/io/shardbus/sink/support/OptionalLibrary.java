package io.shardbus.sink.support;

/** Says which library is missing if a sink cannot work without it. */
public final class OptionalLibrary {

  private OptionalLibrary() {}

  /**
   * Looks for a library that only some sinks need.
   *
   * @param className a class of it
   * @param artifact the library, as {@code group:artifact}
   * @throws IllegalArgumentException if it is not on the class path
   */
  public static void require(String className, String artifact) {
    try {
      Class.forName(className, false, OptionalLibrary.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new IllegalArgumentException("needs the library " + artifact + " on the class path", e);
    }
  }
}
