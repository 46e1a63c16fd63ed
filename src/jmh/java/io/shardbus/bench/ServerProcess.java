package io.shardbus.bench;

import io.shardbus.app.Main;
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

/** A server as a child process on a port of its own. */
final class ServerProcess implements AutoCloseable {

  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final long STEP_MILLIS = 20;

  private final Process process;
  private final int port;

  private ServerProcess(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  static boolean isInstalled(String program) {
    return find(program).isPresent();
  }

  private static Optional<Path> find(String program) {
    return Stream.concat(
            Stream.of(System.getenv("PATH").split(":")), Stream.of("/usr/bin", "/usr/sbin"))
        .map(folder -> Path.of(folder, program))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /**
   * A program that is installed on the machine.
   *
   * @param folder where it runs
   * @param portOption the option before the port's number
   */
  static ServerProcess start(Path folder, String program, String portOption, String... options)
      throws IOException {
    int port = freePort();
    List<String> command = new ArrayList<>();
    command.addAll(List.of(find(program).orElseThrow().toString(), portOption, "" + port));
    command.addAll(List.of(options));
    return start(folder, command, port);
  }

  /**
   * The product's own server, as a user starts it.
   *
   * @param folder for its data
   */
  static ServerProcess shardbus(Path folder, String... options) throws IOException {
    int port = freePort();
    List<String> command = java(Main.class);
    command.addAll(List.of("serve", "--port", "" + port, "--data", folder.toString()));
    command.addAll(List.of(options));
    return start(folder, command, port);
  }

  /**
   * A server whose only argument is its port.
   *
   * @param folder where it runs
   */
  static ServerProcess java(Path folder, Class<?> program) throws IOException {
    int port = freePort();
    List<String> command = java(program);
    command.add("" + port);
    return start(folder, command, port);
  }

  private static List<String> java(Class<?> program) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
    return command;
  }

  private static ServerProcess start(Path folder, List<String> command, int port)
      throws IOException {
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    ServerProcess server = new ServerProcess(process, port);
    server.awaitListening();
    return server;
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
