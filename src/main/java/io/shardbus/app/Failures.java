package io.shardbus.app;

/** What the command line says of failures. */
final class Failures {

  private Failures() {}

  /** One line for a person. */
  static String describe(Throwable failure) {
    String message = failure.getMessage();
    return message == null || message.isBlank()
        ? failure.getClass().getSimpleName()
        : message.replace('\n', ' ');
  }
}
