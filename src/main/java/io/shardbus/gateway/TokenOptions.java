package io.shardbus.gateway;

import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import org.jspecify.annotations.Nullable;

/** One token for each role, for servers that need no more; meant for the environment. */
@DataObject
public final class TokenOptions {

  private @Nullable String ingest;
  private @Nullable String read;
  private @Nullable String admin;

  /** No tokens. */
  public TokenOptions() {}

  /**
   * A copy.
   *
   * @param other the options to copy
   */
  public TokenOptions(TokenOptions other) {
    ingest = other.ingest;
    read = other.read;
    admin = other.admin;
  }

  /**
   * From JSON.
   *
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public TokenOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /**
   * @return the token whose holder may send events; null for none
   */
  public @Nullable String getIngest() {
    return ingest;
  }

  /**
   * @param token the token whose holder may send events: letters, digits and {@code -._~+/=}; null
   *     for none
   * @return this
   */
  public TokenOptions setIngest(@Nullable String token) {
    ingest = checked("token.ingest", token);
    return this;
  }

  /**
   * @return the token whose holder may read events; null for none
   */
  public @Nullable String getRead() {
    return read;
  }

  /**
   * @param token the token whose holder may read events: letters, digits and {@code -._~+/=}; null
   *     for none
   * @return this
   */
  public TokenOptions setRead(@Nullable String token) {
    read = checked("token.read", token);
    return this;
  }

  /**
   * @return the token whose holder may change the server; null for none
   */
  public @Nullable String getAdmin() {
    return admin;
  }

  /**
   * @param token the token whose holder may change the server: letters, digits and {@code -._~+/=};
   *     null for none
   * @return this
   */
  public TokenOptions setAdmin(@Nullable String token) {
    admin = checked("token.admin", token);
    return this;
  }

  private static @Nullable String checked(String option, @Nullable String token) {
    if (token != null && !Tokens.isToken(token)) {
      throw new IllegalArgumentException(option + ": must be " + Tokens.ALLOWED);
    }
    return token;
  }

  /**
   * @return all options as JSON, tokens in clear
   */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
