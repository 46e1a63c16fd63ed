package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** CloudEvents with the public SDK for JavaScript. */
class CloudEventsSdkTest {

  private static final Path PROGRAMS = Path.of("src/test/npm");

  @Test
  void sdk_sendsInAllModesAndReadsBack() throws Exception {
    assumeTrue(
        Files.isDirectory(PROGRAMS.resolve("node_modules/cloudevents")),
        "npm ci --prefix " + PROGRAMS + " has not run");
    TestGateway server = new TestGateway(new GatewayOptions());
    try {
      Process process =
          new ProcessBuilder("node", "cloudevents.mjs", "http://127.0.0.1:" + server.gateway.port())
              .directory(PROGRAMS.toFile())
              .redirectErrorStream(true)
              .start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(output.strip()).isEqualTo("as sent: 12");
    } finally {
      server.close();
    }
  }
}
