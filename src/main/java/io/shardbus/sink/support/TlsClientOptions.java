package io.shardbus.sink.support;

import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.JksOptions;
import io.vertx.core.net.KeyCertOptions;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.core.net.PfxOptions;
import io.vertx.core.net.TrustOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Whom a sink or a node of a cluster trusts, and how it shows who it is, where it uses TLS. A file
 * that ends with {@code .p12} or {@code .pfx} is a PKCS#12 store, one that ends with {@code .jks} a
 * Java store, and any other a PEM file.
 */
@DataObject
public final class TlsClientOptions {

  private @Nullable String trustStore;
  private @Nullable String trustStorePassword;
  private @Nullable String keyStore;
  private @Nullable String keyStorePassword;

  /** Trusts what the JVM trusts, and shows no certificate. */
  public TlsClientOptions() {}

  /**
   * @param other the options to copy
   */
  public TlsClientOptions(TlsClientOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public TlsClientOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /** {@return the file of the trusted certificates; null for those that the JVM trusts} */
  public @Nullable String getTrustStore() {
    return trustStore;
  }

  /**
   * @param file the trusted certificates; null for those that the JVM trusts
   * @return this
   */
  @OptionSpec(
      value =
          "trusted certificates: a PEM file, or a store with the ending `.p12`, `.pfx` or `.jks`",
      min = "1",
      allowed = "a path",
      unset = "what the JVM trusts")
  public TlsClientOptions setTrustStore(@Nullable String file) {
    trustStore = file == null ? null : OptionRanges.check(this, "tls.trustStore", file);
    return this;
  }

  /** {@return the password of the trust store; null if it has none} */
  public @Nullable String getTrustStorePassword() {
    return trustStorePassword;
  }

  /**
   * @param secret the password of the trust store; null if it has none
   * @return this
   */
  @OptionSpec(value = "password of the trust store; never logged", secret = true)
  public TlsClientOptions setTrustStorePassword(@Nullable String secret) {
    trustStorePassword = secret;
    return this;
  }

  /** {@return the file of the client's certificate and its key; null for none} */
  public @Nullable String getKeyStore() {
    return keyStore;
  }

  /**
   * @param file the client's certificate and its private key; null for none
   * @return this
   */
  @OptionSpec(
      value = "own certificate and its private key: a PEM file with both, or a store as above",
      min = "1",
      allowed = "a path")
  public TlsClientOptions setKeyStore(@Nullable String file) {
    keyStore = file == null ? null : OptionRanges.check(this, "tls.keyStore", file);
    return this;
  }

  /** {@return the password of the key store; null if it has none} */
  public @Nullable String getKeyStorePassword() {
    return keyStorePassword;
  }

  /**
   * @param secret the password of the key store; null if it has none
   * @return this
   */
  @OptionSpec(value = "password of the key store; never logged", secret = true)
  public TlsClientOptions setKeyStorePassword(@Nullable String secret) {
    keyStorePassword = secret;
    return this;
  }

  /** {@return all options as JSON, the passwords among them} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }

  /**
   * Looks for the files. Blocks.
   *
   * @throws IllegalArgumentException naming a file that cannot be read
   */
  public void check() {
    requireReadable("tls.trustStore", trustStore);
    requireReadable("tls.keyStore", keyStore);
  }

  private static void requireReadable(String name, @Nullable String file) {
    if (file != null && !Files.isReadable(Path.of(file))) {
      throw new IllegalArgumentException(name + ": the file " + file + " cannot be read");
    }
  }

  /** {@return the certificates that a client of Vert.x trusts; null for those of the JVM} */
  public @Nullable TrustOptions trust() {
    if (trustStore == null) {
      return null;
    }
    return switch (ending(trustStore)) {
      case "p12", "pfx" -> new PfxOptions().setPath(trustStore).setPassword(trustStorePassword);
      case "jks" -> new JksOptions().setPath(trustStore).setPassword(trustStorePassword);
      default -> new PemTrustOptions().addCertPath(trustStore);
    };
  }

  /** {@return the certificate that a client of Vert.x is to show; null for none} */
  public @Nullable KeyCertOptions certificate() {
    if (keyStore == null) {
      return null;
    }
    return switch (ending(keyStore)) {
      case "p12", "pfx" -> new PfxOptions().setPath(keyStore).setPassword(keyStorePassword);
      case "jks" -> new JksOptions().setPath(keyStore).setPassword(keyStorePassword);
      default -> new PemKeyCertOptions().setCertPath(keyStore).setKeyPath(keyStore);
    };
  }

  /**
   * Whom to trust and the certificate to show, for other clients. Blocks: reads the files.
   *
   * @param vertx finds the files
   * @return null if nothing is set
   * @throws Exception if a file cannot be read, or its password is wrong
   */
  public @Nullable SSLContext sslContext(Vertx vertx) throws Exception {
    TrustOptions trust = trust();
    KeyCertOptions certificate = certificate();
    if (trust == null && certificate == null) {
      return null;
    }
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(
        certificate == null ? null : certificate.getKeyManagerFactory(vertx).getKeyManagers(),
        trust == null ? null : trust.getTrustManagerFactory(vertx).getTrustManagers(),
        null);
    return context;
  }

  /**
   * The kind of a file.
   *
   * @param file its path
   * @return its ending, in lower case
   */
  public static String ending(String file) {
    return file.substring(file.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
  }
}
