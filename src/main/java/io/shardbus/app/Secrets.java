package io.shardbus.app;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Replaces the secrets of a configuration with asterisks, so that it can be shown. */
final class Secrets {

  private static final String MASK = "***";

  /**
   * Names of options with secrets. Options with paths of files have other names, such as
   * tokensFile.
   */
  private static final Pattern NAME =
      Pattern.compile(
          "(?i).*(password|passphrase|passwd|pwd|secret|credentials?|api[-_.]?key|keystore[-_.]?key|authorization|cookie|jaas[-_.]config)"
              + "|(.*[-_.a-z0-9])?token");

  /** The user info of a URL, as in {@code redis://user:password@host}. */
  private static final Pattern USER_INFO = Pattern.compile("(://)[^/\\s]*@");

  private static final Pattern PARAMETER =
      Pattern.compile("(?i)([?&;](?:password|passwd|pwd|secret|token)=)[^&;\\s]*");

  private Secrets() {}

  /** A copy without secrets. */
  static JsonObject masked(JsonObject json) {
    JsonObject copy = new JsonObject();
    json.forEach(
        entry ->
            copy.put(
                entry.getKey(), masked(entry.getValue(), NAME.matcher(entry.getKey()).matches())));
    return copy;
  }

  private static @Nullable Object masked(@Nullable Object value, boolean secret) {
    if (value instanceof JsonObject object) {
      if (!secret) {
        return masked(object);
      }
      JsonObject copy = new JsonObject();
      object.forEach(entry -> copy.put(entry.getKey(), masked(entry.getValue(), true)));
      return copy;
    }
    if (value instanceof JsonArray array) {
      JsonArray copy = new JsonArray();
      array.forEach(each -> copy.add(masked(each, secret)));
      return copy;
    }
    if (value == null) {
      return null;
    }
    if (secret) {
      return MASK;
    }
    return value instanceof String text ? maskedText(text) : value;
  }

  private static String maskedText(String text) {
    String hidden = USER_INFO.matcher(text).replaceAll("$1" + MASK + "@");
    return PARAMETER.matcher(hidden).replaceAll("$1" + MASK);
  }
}
