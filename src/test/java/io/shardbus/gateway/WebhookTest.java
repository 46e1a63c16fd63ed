package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.gateway.TestGateway.Answer;
import io.shardbus.testing.Program;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Events of senders that sign, and have no token. */
class WebhookTest {

  private static final String JSON = "application/json";
  private static final String GITHUB = "X-Hub-Signature-256";

  /** The example in GitHub's documentation. */
  private static final String SECRET = "It's a Secret to Everybody";

  private static final String BODY = "\"Hello, World!\"";

  @TempDir Path dir;
  private TestGateway server;

  @AfterEach
  void tearDown() throws Exception {
    server.close();
  }

  private void start(GatewayOptions options) throws Exception {
    server = new TestGateway(options.setWebhookSecret(SECRET));
  }

  /** As openssl signs it. */
  private String signature(Path body) throws Exception {
    String output =
        Program.run("openssl", "dgst", "-sha256", "-hmac", SECRET, "-r", body.toString());
    return output.split(" ", 2)[0];
  }

  private String signature(String body) throws Exception {
    return signature(Files.writeString(dir.resolve("body"), body));
  }

  @Test
  void signedEvents_needNoToken() throws Exception {
    start(new GatewayOptions().setToken(new TokenOptions().setIngest("i").setRead("r")));
    String good = signature(BODY);
    for (String value :
        new String[] {
          "sha256=" + good,
          good,
          good.toUpperCase(java.util.Locale.ROOT),
          Base64.getEncoder().encodeToString(HexFormat.of().parseHex(good))
        }) {
      assertThat(server.post("/v1/events", JSON, BODY, GITHUB, value).status()).isEqualTo(202);
    }
    assertThat(server.post("/v1/events", JSON, BODY, "Authorization", "Bearer i").status())
        .isEqualTo(202);
    assertThat(server.bus.stats().offered()).isEqualTo(5);
    for (String value :
        new String[] {
          "sha256=" + signature("other"), "", "sha256=", "sha1=" + good, "é", good + "00"
        }) {
      Answer answer =
          server.post("/v1/events", JSON, BODY, GITHUB, value, "Authorization", "Bearer i");
      assertThat(answer.status()).as(value).isEqualTo(401);
      assertThat(answer.detail()).isEqualTo("the signature is not that of this body");
    }
    assertThat(server.post("/v1/events", JSON, BODY).status()).isEqualTo(401);
    // It is for sending only.
    assertThat(server.get("/v1/stats", GITHUB, "sha256=" + good).status()).isEqualTo(401);
    assertThat(server.bus.stats().offered()).isEqualTo(5);
  }

  @Test
  void serverWithoutTokens_takesSignedEventsOnly() throws Exception {
    start(new GatewayOptions().setWebhookHeader("X-Shopify-Hmac-Sha256"));
    Answer answer = server.post("/v1/events", JSON, BODY);
    assertThat(answer.status()).isEqualTo(401);
    assertThat(answer.detail())
        .isEqualTo("a signature is needed: the header X-Shopify-Hmac-Sha256");
    assertThat(
            server
                .post("/v1/events", JSON, BODY, "x-shopify-hmac-sha256", signature(BODY))
                .status())
        .isEqualTo(202);
    assertThat(server.get("/v1/stats").status()).isEqualTo(200);
  }

  /** What is signed is what is sent. */
  @Test
  void compressedBodies_areSignedAsTheyAreSent() throws Exception {
    start(new GatewayOptions());
    Path body = Files.writeString(dir.resolve("body"), BODY);
    Program.run("gzip", body.toString());
    Path sent = dir.resolve("body.gz");
    String url = "http://127.0.0.1:" + server.gateway.port() + "/v1/events";
    assertThat(
            Program.run(
                "curl",
                "-s",
                "-H",
                "Content-Type: " + JSON,
                "-H",
                "Content-Encoding: gzip",
                "-H",
                GITHUB + ": sha256=" + signature(sent),
                "--data-binary",
                "@" + sent,
                url))
        .contains("\"shard\":");
  }

  @Test
  void severalEvents_cannotBeSigned() throws Exception {
    start(new GatewayOptions());
    Answer answer =
        server.post("/v1/events", "application/x-ndjson", "1\n", GITHUB, signature("1\n"));
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.detail()).isEqualTo("a body that is signed must be one event");
  }
}
