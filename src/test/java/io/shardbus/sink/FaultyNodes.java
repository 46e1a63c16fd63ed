package io.shardbus.sink;

import io.shardbus.testing.Java;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Servers of one cluster as processes of their own. If this user may make network namespaces, each
 * has its own, on a bridge, so that its link can be cut.
 */
final class FaultyNodes implements AutoCloseable {

  private static final String BRIDGE = "shardbus0";
  private static final String NET = "10.99.77.";

  private final Path dir;
  private final Map<String, String> environment;
  private final boolean namespaces;
  private final int port;
  private final Process[] nodes;

  /**
   * @param port of the cluster's first node, which is none of these
   * @param environment says which sink, for example
   */
  FaultyNodes(Path dir, int port, int count, boolean namespaces, Map<String, String> environment)
      throws Exception {
    this.dir = dir;
    this.port = port;
    this.environment = environment;
    this.namespaces = namespaces;
    nodes = new Process[count];
    if (namespaces) {
      clean(count);
      ip("link", "add", BRIDGE, "type", "bridge");
      ip("addr", "add", host(-1) + "/24", "dev", BRIDGE);
      ip("link", "set", BRIDGE, "up");
      for (int n = 0; n < count; n++) {
        ip("netns", "add", BRIDGE + "n" + n);
        ip("link", "add", link(n), "type", "veth", "peer", "name", "eth0", "netns", space(n));
        ip("link", "set", link(n), "master", BRIDGE, "up");
        ip("-n", space(n), "link", "set", "lo", "up");
        ip("-n", space(n), "addr", "add", host(n) + "/24", "dev", "eth0");
        ip("-n", space(n), "link", "set", "eth0", "up");
      }
    }
  }

  static boolean mayMakeNamespaces() {
    try {
      boolean made = ip("netns", "add", BRIDGE + "try") == 0;
      ip("netns", "del", BRIDGE + "try");
      return made;
    } catch (IOException e) {
      return false;
    }
  }

  private static int ip(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("ip"));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start()
        .onExit()
        .join()
        .exitValue();
  }

  private static void clean(int count) throws IOException {
    for (int n = 0; n < count; n++) {
      ip("netns", "del", space(n));
    }
    ip("link", "del", BRIDGE);
  }

  private static String space(int n) {
    return BRIDGE + "n" + n;
  }

  private static String link(int n) {
    return BRIDGE + "v" + n;
  }

  /** The address of a node; -1: of this JVM. */
  String host(int n) {
    return namespaces ? NET + (n + 2) : "127.0.0.1";
  }

  static String cluster(int port) {
    return "faults-" + port;
  }

  /** Returns when it takes events. */
  void start(int n) throws Exception {
    List<String> command = new ArrayList<>();
    if (namespaces) {
      command.addAll(List.of("ip", "netns", "exec", space(n)));
    }
    command.addAll(
        Java.command(
            ClusteredNode.JOIN_AT_ONCE,
            "io.shardbus.app.Main",
            "serve",
            "--cluster",
            "--port",
            "0",
            "--data",
            dir.resolve("node" + n).toString()));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectError(
                ProcessBuilder.Redirect.appendTo(dir.resolve("node" + n + ".log").toFile()));
    builder.environment().putAll(environment);
    builder.environment().put("SHARDBUS_CLUSTER_NAME", cluster(port));
    builder.environment().put("SHARDBUS_CLUSTER_PORT", Integer.toString(port));
    builder.environment().put("SHARDBUS_CLUSTER_HOST", host(n));
    builder.environment().put("SHARDBUS_CLUSTER_MEMBERS", host(-1) + "," + host(0));
    nodes[n] = builder.start();
    BufferedReader out = nodes[n].inputReader();
    String line = out.readLine();
    if (line == null || !line.startsWith("listening on")) {
      throw new IllegalStateException("node " + n + " did not start: see " + dir);
    }
  }

  /** Such as STOP; {@code ip netns exec} becomes the server, so it has its process id. */
  void signal(int n, String name) throws Exception {
    new ProcessBuilder("kill", "-" + name, Long.toString(nodes[n].pid())).start().waitFor();
  }

  void awaitEnd(int n) throws Exception {
    if (!nodes[n].waitFor(120, TimeUnit.SECONDS)) {
      throw new IllegalStateException("node " + n + " does not end");
    }
  }

  void cut(int n) throws Exception {
    ip("link", "set", link(n), "down");
  }

  void mend(int n) throws Exception {
    ip("link", "set", link(n), "up");
  }

  @Override
  public void close() throws IOException {
    for (Process node : nodes) {
      if (node != null) {
        node.destroyForcibly().onExit().join();
      }
    }
    if (namespaces) {
      clean(nodes.length);
    }
  }
}
