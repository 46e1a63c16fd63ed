package io.shardbus.sink;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.shardbus.testing.Java;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** A real server as a child process on a free port. */
public final class ServerProcess {

  private final List<String> command;
  private final Path log;
  private final int port;
  private Process process;

  /** Skips the test if the program is not installed. */
  public ServerProcess(int port, Path dir, String program, String... arguments) {
    this(
        port,
        dir.resolve(program + ".log"),
        Stream.concat(Stream.of(find(program).toString()), Stream.of(arguments)).toList());
  }

  private ServerProcess(int port, Path log, List<String> command) {
    this.port = port;
    this.log = log;
    this.command = command;
  }

  /** A class of the tests, in a JVM of its own. */
  static ServerProcess java(int port, Path dir, Class<?> main, String... arguments) {
    List<String> command = new ArrayList<>(Java.command("-Xmx384m", main.getName()));
    command.addAll(List.of(arguments));
    return new ServerProcess(port, dir.resolve(main.getSimpleName() + ".log"), command);
  }

  private static Path find(String program) {
    Path found =
        Stream.concat(
                Stream.of(System.getenv("PATH").split(":")), Stream.of("/usr/sbin", "/usr/bin"))
            .map(folder -> Path.of(folder, program))
            .filter(Files::isExecutable)
            .findFirst()
            .orElse(null);
    assumeTrue(found != null, program + " is not installed");
    return found;
  }

  /** Does nothing if it runs. */
  public void start() throws IOException {
    if (process != null && process.isAlive()) {
      return;
    }
    process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    Awaitility.await(command.get(0) + " listens")
        .atMost(Duration.ofMinutes(2))
        .pollInterval(Duration.ofMillis(20))
        .until(this::listens);
  }

  private boolean listens() {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 500);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** As a loss of power to the process: SIGKILL. */
  public void kill() throws Exception {
    if (process != null) {
      process.destroyForcibly().waitFor();
    }
  }

  void pause() throws Exception {
    signal("-STOP");
  }

  void resume() throws Exception {
    signal("-CONT");
  }

  private void signal(String signal) throws Exception {
    new ProcessBuilder("kill", signal, Long.toString(process.pid())).start().waitFor();
  }
}
