package io.shardbus.gateway;

import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import org.jspecify.annotations.Nullable;

/** Whether and with what the gateway encrypts its connections. */
@DataObject
public final class TlsOptions {

  private @Nullable String certificate;
  private @Nullable String key;

  /** No TLS. */
  public TlsOptions() {}

  /**
   * @param other the options to copy
   */
  public TlsOptions(TlsOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public TlsOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /** {@return the file of the certificate; null for no TLS} */
  public @Nullable String getCertificate() {
    return certificate;
  }

  /**
   * @param file the certificate and its chain, as a PEM file; it is read again when it changes;
   *     null for no TLS
   * @return this
   */
  @OptionSpec(
      value = "PEM file of the certificate and its chain; turns TLS on",
      min = "1",
      allowed = "a path")
  public TlsOptions setCertificate(@Nullable String file) {
    certificate = file == null ? null : OptionRanges.check(this, "tls.certificate", file);
    return this;
  }

  /** {@return the file of the certificate's private key; null for no TLS} */
  public @Nullable String getKey() {
    return key;
  }

  /**
   * @param file the certificate's private key, as an unencrypted PEM file; it is read again when it
   *     changes; null for no TLS
   * @return this
   */
  @OptionSpec(value = "PEM file of its private key, not encrypted", min = "1", allowed = "a path")
  public TlsOptions setKey(@Nullable String file) {
    key = file == null ? null : OptionRanges.check(this, "tls.key", file);
    return this;
  }

  /** {@return all options as JSON} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
