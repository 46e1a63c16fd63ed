package io.shardbus.event;

/**
 * Bytes that were offered as one JSON value and are not. The message names the fault and, where it
 * is known, the byte at which it was found. Stackless: it describes input, not a fault of the
 * program.
 */
public final class InvalidEventException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final long offset;

  /**
   * @param message what is wrong, in words for the person who sent the event
   * @param offset the byte offset, from 0, at which it was found, or -1 where no single byte is to
   *     blame
   */
  public InvalidEventException(String message, long offset) {
    super(message, null, false, false);
    this.offset = offset;
  }

  /**
   * @return the byte offset, from 0, at which the value breaks, or -1 where no single byte is to
   *     blame
   */
  public long offset() {
    return offset;
  }
}
