package io.shardbus.gateway;

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
   * A copy.
   *
   * @param other the options to copy
   */
  public TlsOptions(TlsOptions other) {
    certificate = other.certificate;
    key = other.key;
  }

  /**
   * From JSON.
   *
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public TlsOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /**
   * @return the file of the certificate; null for no TLS
   */
  public @Nullable String getCertificate() {
    return certificate;
  }

  /**
   * @param file the certificate and those that it was signed with, as a PEM file, not empty; it is
   *     read again when it changes; null for no TLS
   * @return this
   */
  public TlsOptions setCertificate(@Nullable String file) {
    certificate = checked("tls.certificate", file);
    return this;
  }

  /**
   * @return the file of the certificate's private key; null for no TLS
   */
  public @Nullable String getKey() {
    return key;
  }

  /**
   * @param file the certificate's private key, as an unencrypted PEM file, not empty; it is read
   *     again when it changes; null for no TLS
   * @return this
   */
  public TlsOptions setKey(@Nullable String file) {
    key = checked("tls.key", file);
    return this;
  }

  private static @Nullable String checked(String option, @Nullable String file) {
    if (file != null && file.isBlank()) {
      throw new IllegalArgumentException(option + ": must not be empty");
    }
    return file;
  }

  /**
   * @return all options as JSON
   */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
