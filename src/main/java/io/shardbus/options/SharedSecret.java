package io.shardbus.options;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/** A secret that both ends of the event bus know. */
public final class SharedSecret {

  /** The header of a message, or the member of its JSON, that has the secret. */
  public static final String NAME = "secret";

  private SharedSecret() {}

  /**
   * Compares in a time that does not depend on how much of it is right.
   *
   * @param asked null if none is asked for
   * @param given null if there is none
   * @return whether it is right, or none is asked for
   */
  public static boolean matches(@Nullable String asked, @Nullable String given) {
    return asked == null
        || (given != null
            && MessageDigest.isEqual(
                asked.getBytes(StandardCharsets.UTF_8), given.getBytes(StandardCharsets.UTF_8)));
  }
}
