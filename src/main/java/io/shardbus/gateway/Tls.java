package io.shardbus.gateway;

import io.shardbus.files.FileFault;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.ServerSSLOptions;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.InvalidKeyException;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.cert.CertificateFactory;
import java.util.List;
import java.util.Map;
import javax.net.ssl.X509KeyManager;
import org.jspecify.annotations.Nullable;

/** The server's certificate and key, from files that may change. */
final class Tls {

  private static final Logger LOG = LoggerFactory.getLogger(Tls.class);

  /** How a key signs, by the algorithm of its certificate. */
  private static final Map<String, String> SIGNATURES =
      Map.of("RSA", "SHA256withRSA", "EC", "SHA256withECDSA", "EdDSA", "EdDSA");

  /** Those of TLS 1.3 and 1.2 with forward secrecy and authenticated encryption (RFC 9325). */
  private static final List<String> CIPHERS =
      List.of(
          "TLS_AES_256_GCM_SHA384",
          "TLS_AES_128_GCM_SHA256",
          "TLS_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");

  private final Vertx vertx;
  private final @Nullable Path certificate;
  private final @Nullable Path key;

  /** Throws {@link IllegalArgumentException} if only one of the two is given. */
  Tls(Vertx vertx, TlsOptions options) {
    this.vertx = vertx;
    String certificateFile = options.getCertificate();
    String keyFile = options.getKey();
    if ((certificateFile == null) != (keyFile == null)) {
      throw new IllegalArgumentException(
          "tls: certificate and key must be given together, "
              + (keyFile == null ? "key" : "certificate")
              + " is missing");
    }
    certificate = certificateFile == null ? null : Path.of(certificateFile);
    key = keyFile == null ? null : Path.of(keyFile);
  }

  boolean on() {
    return certificate != null;
  }

  List<Path> files() {
    return certificate == null || key == null ? List.of() : List.of(certificate, key);
  }

  /** Reads the files, if there is TLS; blocks. */
  void apply(HttpServerOptions http) {
    if (certificate != null && key != null) {
      http.setSsl(true).setUseAlpn(true).setKeyCertOptions(pair(certificate, key));
      CIPHERS.forEach(http::addEnabledCipherSuite);
    }
  }

  /**
   * Reads the files again; blocks. New connections get the new certificate; if it cannot be used,
   * the old one.
   */
  void reload(HttpServer server) {
    if (certificate == null || key == null) {
      return;
    }
    try {
      ServerSSLOptions fresh = new ServerSSLOptions();
      fresh.setKeyCertOptions(pair(certificate, key));
      fresh.setUseAlpn(true).setApplicationLayerProtocols(List.of("h2", "http/1.1"));
      CIPHERS.forEach(fresh::addEnabledCipherSuite);
      server
          .updateSSLOptions(fresh)
          .onSuccess(changed -> LOG.info(certificate + " read again"))
          .onFailure(Tls::kept);
    } catch (IllegalArgumentException e) {
      kept(e);
    }
  }

  private static void kept(Throwable failure) {
    LOG.error("the certificate is unchanged: " + failure.getMessage());
  }

  /** By value, so that Vert.x notices a change. */
  private PemKeyCertOptions pair(Path certificate, Path key) {
    Buffer chain = read("tls.certificate", certificate);
    PemKeyCertOptions pair =
        new PemKeyCertOptions().addCertValue(chain).addKeyValue(read("tls.key", key));
    try {
      requireMatch(pair, chain);
    } catch (Exception e) {
      throw new IllegalArgumentException(
          "tls: certificate and key cannot be used: " + e.getMessage(), e);
    }
    return pair;
  }

  /**
   * Otherwise handshakes would fail: always after a wrong start, and for a moment while one file is
   * new and the other is not.
   */
  private void requireMatch(PemKeyCertOptions pair, Buffer chain) throws Exception {
    var keys = (X509KeyManager) pair.getKeyManagerFactory(vertx).getKeyManagers()[0];
    PublicKey publicKey =
        CertificateFactory.getInstance("X.509")
            .generateCertificate(new ByteArrayInputStream(chain.getBytes()))
            .getPublicKey();
    String algorithm = SIGNATURES.get(publicKey.getAlgorithm());
    String[] aliases = keys.getServerAliases(publicKey.getAlgorithm(), null);
    if (algorithm == null || aliases == null) {
      return; // not to be checked here
    }
    Signature signature = Signature.getInstance(algorithm);
    boolean match;
    try {
      signature.initSign(keys.getPrivateKey(aliases[0]));
      byte[] signed = signature.sign();
      signature.initVerify(publicKey);
      match = signature.verify(signed);
    } catch (InvalidKeyException | SignatureException e) {
      match = false;
    }
    if (!match) {
      throw new InvalidKeyException("the key does not belong to the certificate");
    }
  }

  private static Buffer read(String option, Path file) {
    try {
      return Buffer.buffer(Files.readAllBytes(file));
    } catch (IOException e) {
      throw FileFault.argument(option + ": " + file + " cannot be read", e);
    }
  }
}
