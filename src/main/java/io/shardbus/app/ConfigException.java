package io.shardbus.app;

/**
 * A configuration that cannot be used; the message names the place, the value and what is allowed.
 */
public final class ConfigException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message what the person who wrote the configuration reads
   */
  public ConfigException(String message) {
    super(message, null, false, false);
  }
}
