package io.shardbus.gateway;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Locale;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/** The signatures of webhooks: HMAC with SHA-256 over the body as it was sent. */
final class Webhooks {

  private static final String ALGORITHM = "HmacSHA256";
  private static final String PREFIX = "sha256="; // of GitHub and others

  private final @Nullable SecretKeySpec key;
  private final String header;

  Webhooks(GatewayOptions options) {
    String secret = options.getWebhookSecret();
    key =
        secret == null
            ? null
            : new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), ALGORITHM);
    header = options.getWebhookHeader();
  }

  /** Whether there is a secret. */
  boolean on() {
    return key != null;
  }

  String header() {
    return header;
  }

  /** What a request claims of its body; null if it is not signed, or signatures are not known. */
  @Nullable Signature signature(HttpServerRequest request) {
    String claimed = request.getHeader(header);
    return key == null || claimed == null ? null : new Signature(key, claimed.strip());
  }

  /** Checks one body. */
  static final class Signature {

    private final Mac mac;
    private final String claimed;

    private Signature(SecretKeySpec key, String claimed) {
      this.claimed = claimed;
      try {
        mac = Mac.getInstance(ALGORITHM);
        mac.init(key);
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("every Java has " + ALGORITHM, e);
      }
    }

    /** The next part of the body, before it is decoded. */
    void update(Buffer part) {
      mac.update(part.getBytes());
    }

    /** Whether the body is the one that was signed; to be called once. */
    boolean matches() {
      byte[] expected = mac.doFinal();
      boolean named = claimed.regionMatches(true, 0, PREFIX, 0, PREFIX.length());
      String value = named ? claimed.substring(PREFIX.length()) : claimed;
      try {
        byte[] given =
            value.length() == 2 * expected.length
                ? HexFormat.of().parseHex(value.toLowerCase(Locale.ROOT))
                : Base64.getDecoder().decode(value);
        return MessageDigest.isEqual(expected, given);
      } catch (IllegalArgumentException e) {
        return false;
      }
    }
  }
}
