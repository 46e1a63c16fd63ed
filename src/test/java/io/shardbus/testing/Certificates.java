package io.shardbus.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * A certificate that trusts itself, made by keytool.
 *
 * @param store a PKCS#12 store with certificate and key; its password is {@code changeit}
 * @param pem the certificate
 * @param keyPem the private key
 * @param both the certificate and the private key
 */
public record Certificates(String store, String pem, String keyPem, String both) {

  public static Certificates make(Path dir, String host) throws Exception {
    Path store = dir.resolve(host + ".p12");
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "one",
                "-keyalg",
                "EC",
                "-storetype",
                "PKCS12",
                "-storepass",
                "changeit",
                "-keystore",
                store.toString(),
                "-dname",
                "CN=" + host,
                "-ext",
                "san=dns:" + host + ",ip:127.0.0.1"));
    Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(keytool.waitFor()).as(output).isZero();
    KeyStore keys = KeyStore.getInstance(store.toFile(), "changeit".toCharArray());
    Key key = keys.getKey("one", "changeit".toCharArray());
    String certificate = text("CERTIFICATE", keys.getCertificate("one").getEncoded());
    String secret = text("PRIVATE KEY", key.getEncoded());
    // A trust store needs an entry of its own for the certificate.
    keys.setCertificateEntry("trusted", keys.getCertificate("one"));
    try (var out = Files.newOutputStream(store)) {
      keys.store(out, "changeit".toCharArray());
    }
    return new Certificates(
        store.toString(),
        Files.writeString(dir.resolve(host + ".pem"), certificate).toString(),
        Files.writeString(dir.resolve(host + ".key.pem"), secret).toString(),
        Files.writeString(dir.resolve(host + ".both.pem"), certificate + secret).toString());
  }

  private static String text(String what, byte[] der) {
    String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    return "-----BEGIN " + what + "-----\n" + base64 + "\n-----END " + what + "-----\n";
  }
}
