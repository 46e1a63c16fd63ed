package io.shardbus.gateway;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.ServerSSLOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The server's certificate and key, from files that may change. */
final class Tls {

  private static final Logger LOG = LoggerFactory.getLogger(Tls.class);

  private final @Nullable Path certificate;
  private final @Nullable Path key;

  /** Throws {@link IllegalArgumentException} if only one of the two is given. */
  Tls(TlsOptions options) {
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
      http.setSsl(true).setKeyCertOptions(pair(certificate, key));
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
      server
          .updateSSLOptions(fresh)
          .onSuccess(changed -> LOG.info("{} read again", certificate))
          .onFailure(Tls::kept);
    } catch (IllegalArgumentException e) {
      kept(e);
    }
  }

  private static void kept(Throwable failure) {
    LOG.error("the certificate stays as it was: {}", failure.getMessage());
  }

  /** By value, so that a change is one for Vert.x too. */
  private static PemKeyCertOptions pair(Path certificate, Path key) {
    return new PemKeyCertOptions()
        .addCertValue(read("tls.certificate", certificate))
        .addKeyValue(read("tls.key", key));
  }

  private static Buffer read(String option, Path file) {
    try {
      return Buffer.buffer(Files.readAllBytes(file));
    } catch (NoSuchFileException e) {
      throw new IllegalArgumentException(option + ": there is no " + file, e);
    } catch (IOException e) {
      throw new IllegalArgumentException(option + ": " + file + " cannot be read: " + e, e);
    }
  }
}
