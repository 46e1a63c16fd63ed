package io.shardbus.app;

import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import org.jspecify.annotations.Nullable;

/** With what the nodes of a cluster encrypt the event bus and recognise each other. */
@DataObject
public final class ClusterTlsOptions {

  private @Nullable String certificate;
  private @Nullable String key;
  private @Nullable String trust;

  /** No TLS. */
  public ClusterTlsOptions() {}

  /**
   * A copy.
   *
   * @param other the options to copy
   */
  public ClusterTlsOptions(ClusterTlsOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
   * From JSON.
   *
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public ClusterTlsOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /** {@return the file of this node's certificate; null for no TLS} */
  public @Nullable String getCertificate() {
    return certificate;
  }

  /**
   * @param file this node's certificate and its chain, as a PEM file; null for no TLS
   * @return this
   */
  @OptionSpec(
      value = "PEM file of this node's certificate; turns TLS on for the event bus",
      min = "1",
      allowed = "a path")
  public ClusterTlsOptions setCertificate(@Nullable String file) {
    certificate = file == null ? null : OptionRanges.check(this, "tls.certificate", file);
    return this;
  }

  /** {@return the file of the certificate's private key; null for no TLS} */
  public @Nullable String getKey() {
    return key;
  }

  /**
   * @param file the certificate's private key, as an unencrypted PEM file; null for no TLS
   * @return this
   */
  @OptionSpec(value = "PEM file of its private key, not encrypted", min = "1", allowed = "a path")
  public ClusterTlsOptions setKey(@Nullable String file) {
    key = file == null ? null : OptionRanges.check(this, "tls.key", file);
    return this;
  }

  /** {@return the file of the authorities that sign the nodes' certificates; null for no TLS} */
  public @Nullable String getTrust() {
    return trust;
  }

  /**
   * @param file the certificates of the authorities that sign those of the nodes, as a PEM file; a
   *     node without such a certificate cannot connect; null for no TLS
   * @return this
   */
  @OptionSpec(
      value = "PEM file of the authorities that sign the nodes' certificates",
      min = "1",
      allowed = "a path")
  public ClusterTlsOptions setTrust(@Nullable String file) {
    trust = file == null ? null : OptionRanges.check(this, "tls.trust", file);
    return this;
  }

  /** {@return all options as JSON} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
