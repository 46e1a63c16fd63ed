package io.shardbus.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A server that is installed on the machine, as a child process on a port of its own. */
final class ServerProcess implements AutoCloseable {

  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);
  private static final long STEP_MILLIS = 20;

  private final Process process;
  private final int port;

  private ServerProcess(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  /**
   * @param portOption the option before the port's number
   * @return empty if there is no such program
   */
  static Optional<ServerProcess> start(String program, String portOption, String... options)
      throws IOException {
    Optional<Path> found =
        Stream.concat(
                Stream.of(System.getenv("PATH").split(":")), Stream.of("/usr/bin", "/usr/sbin"))
            .map(folder -> Path.of(folder, program))
            .filter(Files::isExecutable)
            .findFirst();
    if (found.isEmpty()) {
      return Optional.empty();
    }
    int port = freePort();
    List<String> command = new ArrayList<>();
    command.addAll(List.of(found.get().toString(), portOption, "" + port));
    command.addAll(List.of(options));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    ServerProcess server = new ServerProcess(process, port);
    server.awaitListening();
    return Optional.of(server);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void awaitListening() throws IOException {
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    while (!listens()) {
      if (!process.isAlive() || System.nanoTime() > deadline) {
        close();
        throw new IOException(process.info().command().orElse("the server") + " does not listen");
      }
    }
  }

  private boolean listens() throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      try {
        Thread.sleep(STEP_MILLIS);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        throw new IOException(interrupted);
      }
      return false;
    }
  }

  int port() {
    return port;
  }

  @Override
  public void close() {
    process.destroy();
    try {
      process.waitFor(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    process.destroyForcibly();
  }
}
