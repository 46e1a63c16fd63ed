package io.shardbus.gateway;

import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import org.jspecify.annotations.Nullable;

/** One token for each role, for servers that need only these; meant for the environment. */
@DataObject
public final class TokenOptions {

  static final String ALLOWED = "1 to 512 letters, digits and -._~+/=";
  static final String PATTERN = "[A-Za-z0-9._~+/=-]{1,512}";

  private @Nullable String ingest;
  private @Nullable String read;
  private @Nullable String admin;

  /** No tokens. */
  public TokenOptions() {}

  /**
   * @param other the options to copy
   */
  public TokenOptions(TokenOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public TokenOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /** {@return the token with the role ingest; null for none} */
  public @Nullable String getIngest() {
    return ingest;
  }

  /**
   * @param token the token with the role ingest; null for none
   * @return this
   */
  @OptionSpec(
      value = "a token with the role ingest",
      pattern = PATTERN,
      allowed = ALLOWED,
      secret = true)
  public TokenOptions setIngest(@Nullable String token) {
    ingest = token == null ? null : OptionRanges.check(this, "token.ingest", token);
    return this;
  }

  /** {@return the token with the role read; null for none} */
  public @Nullable String getRead() {
    return read;
  }

  /**
   * @param token the token with the role read; null for none
   * @return this
   */
  @OptionSpec(
      value = "a token with the role read",
      pattern = PATTERN,
      allowed = ALLOWED,
      secret = true)
  public TokenOptions setRead(@Nullable String token) {
    read = token == null ? null : OptionRanges.check(this, "token.read", token);
    return this;
  }

  /** {@return the token with the role admin; null for none} */
  public @Nullable String getAdmin() {
    return admin;
  }

  /**
   * @param token the token with the role admin; null for none
   * @return this
   */
  @OptionSpec(
      value = "a token with the role admin",
      pattern = PATTERN,
      allowed = ALLOWED,
      secret = true)
  public TokenOptions setAdmin(@Nullable String token) {
    admin = token == null ? null : OptionRanges.check(this, "token.admin", token);
    return this;
  }

  /** {@return all options as JSON, tokens in clear} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
