package io.shardbus.bench;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** XADD to a Redis server that syncs before it answers, over a bare socket for each lot. */
final class RawRedisWay implements Way {

  @Override
  public void open(Lots lots, Confirmations confirmations, Opened opened) throws IOException {
    TemporaryFolder folder = opened.add(new TemporaryFolder());
    ServerProcess server =
        opened.add(
            ServerProcess.start(
                folder.path(),
                RedisWay.PROGRAM,
                "--port",
                "--save",
                "",
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
                "--auto-aof-rewrite-percentage",
                "0"));
    for (int i = 0; i < Lots.UNDER_WAY; i++) {
      Socket socket = opened.add(new Socket(InetAddress.getLoopbackAddress(), server.port()));
      socket.setTcpNoDelay(true);
      InputStream in = new BufferedInputStream(socket.getInputStream());
      Lots.Cycle<byte[]> requests = lots.as(RawRedisWay::request);
      opened.add(
          new Loop(
              "redis-" + i,
              () -> {
                long sentAt = System.nanoTime();
                socket.getOutputStream().write(requests.next());
                for (int event = 0; event < lots.size(); event++) {
                  skipAnswer(in);
                }
                confirmations.add(lots.size(), sentAt);
              }));
    }
  }

  private static byte[] request(List<byte[]> lot) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] event : lot) {
      out.writeBytes(
          ("*8\r\n$4\r\nXADD\r\n$5\r\nbench\r\n$6\r\nMAXLEN\r\n$1\r\n~\r\n$6\r\n100000\r\n"
                  + "$1\r\n*\r\n$1\r\nd\r\n$"
                  + event.length
                  + "\r\n")
              .getBytes(StandardCharsets.US_ASCII));
      out.writeBytes(event);
      out.writeBytes(new byte[] {'\r', '\n'});
    }
    return out.toByteArray();
  }

  /** A text with its length before it: the id of the entry. */
  private static void skipAnswer(InputStream in) throws IOException {
    if (in.read() != '$') {
      throw new IOException("Redis refused an event");
    }
    for (int line = 0; line < 2; line++) {
      int next;
      do {
        next = in.read();
        if (next < 0) {
          throw new IOException("Redis has gone");
        }
      } while (next != '\n');
    }
  }
}
