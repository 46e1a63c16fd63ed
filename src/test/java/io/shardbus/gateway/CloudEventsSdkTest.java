package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.testing.Program;
import org.junit.jupiter.api.Test;

/** CloudEvents with the public SDK for JavaScript. */
class CloudEventsSdkTest {

  @Test
  void sdk_sendsInAllModesAndReadsBack() throws Exception {
    TestGateway server = new TestGateway(new GatewayOptions());
    try {
      String output =
          Program.node(
              "cloudevents", "cloudevents.mjs", "http://127.0.0.1:" + server.gateway.port());
      assertThat(output.strip()).isEqualTo("as sent: 12");
    } finally {
      server.close();
    }
  }
}
