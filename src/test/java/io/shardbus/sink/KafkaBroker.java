package io.shardbus.sink;

import io.shardbus.testing.Ports;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.internals.Exit;
import org.apache.kafka.metadata.storage.Formatter;

/** A Kafka cluster of one node in this JVM, that can be stopped and started on the same data. */
final class KafkaBroker implements AutoCloseable {

  static {
    // A broker that gives up must fail its test, not end the JVM of all tests.
    Exit.setExitProcedure(KafkaBroker::gaveUp);
    Exit.setHaltProcedure(KafkaBroker::gaveUp);
  }

  private final Properties properties = new Properties();
  private final String bootstrap;
  private final int port;
  private KafkaRaftServer server;

  KafkaBroker(Path dir, int partitions) throws Exception {
    this(dir, partitions, 0);
  }

  /** Clients are told to connect to the port of a proxy, unless that is 0. */
  KafkaBroker(Path dir, int partitions, int proxyPort) throws Exception {
    port = Ports.free();
    int controllerPort = Ports.free();
    bootstrap = "127.0.0.1:" + (proxyPort == 0 ? port : proxyPort);
    properties.put("process.roles", "broker,controller");
    properties.put("node.id", "1");
    properties.put("controller.quorum.voters", "1@127.0.0.1:" + controllerPort);
    properties.put(
        "listeners", "PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controllerPort);
    properties.put("advertised.listeners", "PLAINTEXT://" + bootstrap);
    properties.put("controller.listener.names", "CONTROLLER");
    properties.put("log.dirs", dir.toString());
    properties.put("num.partitions", Integer.toString(partitions));
    properties.put("offsets.topic.replication.factor", "1");
    properties.put("message.max.bytes", "400000");
    // Events of tests are from 1970.
    properties.put("log.retention.ms", "-1");
    new Formatter()
        .setNodeId(1)
        .setClusterId(Uuid.randomUuid().toString())
        .setControllerListenerName("CONTROLLER")
        .addDirectory(dir.toString())
        .setMetadataLogDirectory(dir.toString())
        .setPrintStream(
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
        .run();
    start();
  }

  private static void gaveUp(int status, String message) {
    throw new IllegalStateException("the Kafka broker ends with " + status + ": " + message);
  }

  int port() {
    return port;
  }

  String bootstrap() {
    return bootstrap;
  }

  void createTopic(String name, int partitions, Map<String, String> config) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      admin
          .createTopics(List.of(new NewTopic(name, partitions, (short) 1).configs(config)))
          .all()
          .get(30, TimeUnit.SECONDS);
    }
  }

  void start() {
    server = new KafkaRaftServer(KafkaConfig.fromProps(properties), Time.SYSTEM);
    server.startup();
  }

  void stop() {
    server.shutdown();
    server.awaitShutdown();
  }

  @Override
  public void close() {
    stop();
  }
}
