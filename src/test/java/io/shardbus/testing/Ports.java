package io.shardbus.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/** Ports for servers that tests start, and stop and start again. */
public final class Ports {

  private Ports() {}

  /**
   * A port that is free now, and that no client's connection takes while its server is down:
   * systems give those ports from 32,768 on.
   */
  public static int free() {
    while (true) {
      int port = ThreadLocalRandom.current().nextInt(12_000, 32_000);
      try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      } catch (IOException taken) {
        // Try another.
      }
    }
  }
}
