package io.shardbus.gateway;

import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import org.jspecify.annotations.Nullable;

/** One token for each role, for servers that need only these; meant for the environment. */
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
   * @return the token with the role ingest; null for none
   */
  public @Nullable String getIngest() {
    return ingest;
  }

  /**
   * @param token the token with the role ingest: letters, digits and {@code -._~+/=}; null for none
   * @return this
   */
  public TokenOptions setIngest(@Nullable String token) {
    ingest = checked("token.ingest", token);
    return this;
  }

  /**
   * @return the token with the role read; null for none
   */
  public @Nullable String getRead() {
    return read;
  }

  /**
   * @param token the token with the role read: letters, digits and {@code -._~+/=}; null for none
   * @return this
   */
  public TokenOptions setRead(@Nullable String token) {
    read = checked("token.read", token);
    return this;
  }

  /**
   * @return the token with the role admin; null for none
   */
  public @Nullable String getAdmin() {
    return admin;
  }

  /**
   * @param token the token with the role admin: letters, digits and {@code -._~+/=}; null for none
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
