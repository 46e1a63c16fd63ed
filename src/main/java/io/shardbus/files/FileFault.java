package io.shardbus.files;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Says in words why a file could not be used. */
public final class FileFault {

  private FileFault() {}

  /**
   * An exception with a message for the operator.
   *
   * @param what the action that failed, with the path
   * @param cause why
   * @return the exception
   */
  public static IOException of(String what, IOException cause) {
    return new IOException(what + ": " + reason(cause), cause);
  }

  /**
   * As {@link #of}, for a file that an option names.
   *
   * @param what the option, the path, and the action that failed
   * @param cause why
   * @return the exception
   */
  public static IllegalArgumentException argument(String what, IOException cause) {
    return new IllegalArgumentException(what + ": " + reason(cause), cause);
  }

  private static String reason(IOException cause) {
    if (cause instanceof AccessDeniedException) {
      return "access denied";
    }
    if (cause instanceof CharacterCodingException) {
      return "it is not UTF-8 text";
    }
    if (cause instanceof NoSuchFileException) {
      return "it does not exist";
    }
    if (cause instanceof FileAlreadyExistsException) {
      return "a file of that name is in its place";
    }
    if (cause instanceof FileSystemException known && known.getReason() != null) {
      return known.getReason();
    }
    return String.valueOf(cause.getMessage());
  }
}
