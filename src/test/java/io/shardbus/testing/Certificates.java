package io.shardbus.testing;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * A certificate that trusts itself, made by openssl.
 *
 * @param store a PKCS#12 store with certificate and key; its password is {@code changeit}
 * @param pem the certificate
 * @param keyPem the private key
 * @param both the certificate and the private key
 */
public record Certificates(String store, String pem, String keyPem, String both) {

  private static final char[] PASSWORD = "changeit".toCharArray();

  /** One with an elliptic curve, for a host and 127.0.0.1. */
  public static Certificates make(Path dir, String host) throws Exception {
    return make(dir, host, "EC");
  }

  /**
   * One for a host and 127.0.0.1.
   *
   * @param algorithm EC or RSA
   */
  public static Certificates make(Path dir, String host, String algorithm) throws Exception {
    Path pem = dir.resolve(host + ".pem");
    Path keyPem = dir.resolve(host + ".key.pem");
    List<String> command = new ArrayList<>(List.of("openssl", "req", "-x509", "-nodes"));
    command.addAll(List.of("-days", "90", "-subj", "/CN=" + host));
    command.addAll(List.of("-addext", "subjectAltName=DNS:" + host + ",IP:127.0.0.1"));
    command.addAll(List.of("-out", pem.toString(), "-keyout", keyPem.toString(), "-newkey"));
    command.addAll(
        algorithm.equals("EC")
            ? List.of("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
            : List.of("rsa:2048"));
    Program.run(command.toArray(String[]::new));
    Path store = dir.resolve(host + ".p12");
    store(store, pem, keyPem, algorithm);
    String both = Files.readString(pem) + Files.readString(keyPem);
    return new Certificates(
        store.toString(),
        pem.toString(),
        keyPem.toString(),
        Files.writeString(dir.resolve(host + ".both.pem"), both).toString());
  }

  private static void store(Path store, Path pem, Path keyPem, String algorithm) throws Exception {
    Certificate certificate;
    try (var in = Files.newInputStream(pem)) {
      certificate = CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
    String base64 = Files.readString(keyPem).replaceAll("-----.*-----", "");
    KeyStore keys = KeyStore.getInstance("PKCS12");
    keys.load(null, null);
    keys.setKeyEntry(
        "one",
        KeyFactory.getInstance(algorithm)
            .generatePrivate(new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(base64))),
        PASSWORD,
        new Certificate[] {certificate});
    // A trust store needs an entry of its own for the certificate.
    keys.setCertificateEntry("trusted", certificate);
    try (var out = Files.newOutputStream(store)) {
      keys.store(out, PASSWORD);
    }
  }
}
