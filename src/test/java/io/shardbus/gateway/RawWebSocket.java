package io.shardbus.gateway;

import io.vertx.core.buffer.Buffer;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** A client of WebSockets that keeps to no rule after the handshake. */
final class RawWebSocket implements AutoCloseable {

  static final int CONTINUATION = 0;
  static final int TEXT = 1;
  static final int BINARY = 2;
  static final int CLOSE = 8;
  static final int PING = 9;
  static final int PONG = 10;
  static final int FINAL = 0x80;

  private final Socket socket;
  private final OutputStream out;
  private final DataInputStream in;
  private final String answer;

  /** A frame; the payload is empty where the connection has ended without one. */
  record Frame(int opcode, Buffer payload) {

    /** 1006 if it ended without a word. */
    int closeCode() {
      return payload.length() < 2 ? 1006 : payload.getShort(0);
    }

    String text() {
      return payload.toString();
    }
  }

  RawWebSocket(int port, String... headers) throws IOException {
    this("accepted", port, headers);
  }

  RawWebSocket(String ack, int port, String... headers) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(20_000);
    out = socket.getOutputStream();
    in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
    String more = headers.length == 0 ? "" : String.join("\r\n", headers) + "\r\n";
    send(
        ("GET /v1/ingest?ack="
                + ack
                + " HTTP/1.1\r\nHost: 127.0.0.1:"
                + port
                + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                + more
                + "\r\n")
            .getBytes(StandardCharsets.US_ASCII));
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      head.append((char) in.readUnsignedByte());
    }
    answer = head.toString();
  }

  /** The head of the server's answer to the handshake. */
  String answer() {
    return answer;
  }

  void send(byte[] bytes) throws IOException {
    out.write(bytes);
    out.flush();
  }

  /** No more will be sent; what the server says can still be read. */
  void finish() throws IOException {
    socket.shutdownOutput();
  }

  /** Masked with zeros, as a client's frame must be masked. */
  static byte[] frame(int first, byte[] payload) {
    byte[] header = header(first, true, payload.length);
    byte[] all = java.util.Arrays.copyOf(header, header.length + payload.length);
    System.arraycopy(payload, 0, all, header.length, payload.length);
    return all;
  }

  static byte[] frame(int first, String payload) {
    return frame(first, payload.getBytes(StandardCharsets.UTF_8));
  }

  /** The beginning of a frame that claims to be so long. */
  static byte[] header(int first, boolean masked, long length) {
    ByteBuffer header = ByteBuffer.allocate(14).put((byte) first);
    int mask = masked ? 0x80 : 0;
    if (length >= 0 && length < 126) {
      header.put((byte) (mask | length));
    } else if (length >= 0 && length < 1 << 16) {
      header.put((byte) (mask | 126)).putShort((short) length);
    } else {
      header.put((byte) (mask | 127)).putLong(length);
    }
    if (masked) {
      header.putInt(0);
    }
    byte[] bytes = new byte[header.position()];
    header.flip().get(bytes);
    return bytes;
  }

  /** The server's next frame; one that closes if the connection has ended. */
  Frame read() throws IOException {
    try {
      int opcode = in.readUnsignedByte() & 0x0f;
      int length = in.readUnsignedByte();
      if (length == 126) {
        length = in.readUnsignedShort();
      } else if (length == 127) {
        length = (int) in.readLong();
      }
      byte[] payload = new byte[length];
      in.readFully(payload);
      return new Frame(opcode, Buffer.buffer(payload));
    } catch (EOFException | SocketException e) {
      return new Frame(CLOSE, Buffer.buffer());
    }
  }

  /** How the server closes; what it says before is skipped. */
  int closeCode() throws IOException {
    Frame frame = read();
    while (frame.opcode() != CLOSE) {
      frame = read();
    }
    return frame.closeCode();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
