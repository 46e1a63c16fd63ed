package io.shardbus.options;

/** A library that an application adds only if it uses what needs it. */
public final class OptionalLibrary {

  private OptionalLibrary() {}

  /**
   * Looks for a library.
   *
   * @param className a class of it
   * @return whether the class can be loaded
   */
  public static boolean isThere(String className) {
    try {
      Class.forName(className, false, OptionalLibrary.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  /**
   * Fails if a library is missing.
   *
   * @param className a class of it
   * @param artifact the library, as {@code group:artifact}, for the error
   * @throws IllegalArgumentException if it is not on the class path
   */
  public static void require(String className, String artifact) {
    if (!isThere(className)) {
      throw new IllegalArgumentException("needs the library " + artifact + " on the class path");
    }
  }
}
