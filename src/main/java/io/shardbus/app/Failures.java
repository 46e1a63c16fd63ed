package io.shardbus.app;

/** How the command line reports failures. */
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
