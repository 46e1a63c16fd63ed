package io.shardbus.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/** Ports for servers that tests start, and stop and start again. */
public final class Ports {

  private static final int EACH = 5_000;

  /** JVMs that run tests at the same time take their ports from ranges of their own. */
  private static final int FIRST = 12_000 + EACH * (Integer.getInteger("shardbus.fork", 0) % 4);

  private Ports() {}

  /**
   * A port that is free now, and that no client's connection takes while its server is down:
   * systems give those ports from 32,768 on.
   */
  public static int free() {
    while (true) {
      int port = ThreadLocalRandom.current().nextInt(FIRST, FIRST + EACH);
      try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      } catch (IOException taken) {
        // Try another.
      }
    }
  }
}
