package io.shardbus.sink;

import io.shardbus.testing.Certificates;
import io.shardbus.testing.Ports;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
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

/**
 * A Kafka cluster of one node on data of its own, in this JVM, where it can be stopped in an
 * orderly way, or by {@link #process} in a JVM that can be killed.
 */
public final class KafkaBroker implements AutoCloseable {

  static {
    // A broker that gives up must fail its test, not end the JVM of all tests.
    Exit.setExitProcedure(KafkaBroker::gaveUp);
    Exit.setHaltProcedure(KafkaBroker::gaveUp);
  }

  /** Who a broker with a password lets in. */
  static final String USER = "bus";

  private static final String ADVERTISED = "advertised.listeners";
  private static final String PROTOCOLS = "listener.security.protocol.map";

  private final Properties properties = new Properties();
  private final String bootstrap;
  private final int port;
  private KafkaRaftServer server;

  public KafkaBroker(Path dir, int partitions) throws Exception {
    this(dir, partitions, 0);
  }

  /** Clients are told to connect to the port of a proxy, unless that is 0. */
  KafkaBroker(Path dir, int partitions, int proxyPort) throws Exception {
    this(dir, partitions, proxyPort, Ports.free(), Map.of());
  }

  /** Speaks TLS, and asks clients for a certificate. */
  KafkaBroker(Path dir, Certificates own) throws Exception {
    this(
        dir,
        1,
        0,
        Ports.free(),
        Map.of(
            PROTOCOLS,
            "CONTROLLER:PLAINTEXT,CLIENTS:SSL",
            "ssl.client.auth",
            "required",
            "ssl.keystore.type",
            "PEM",
            "ssl.keystore.location",
            own.both(),
            "ssl.truststore.type",
            "PEM",
            "ssl.truststore.location",
            own.pem()));
  }

  private KafkaBroker(
      Path dir, int partitions, int proxyPort, int port, Map<String, String> security)
      throws Exception {
    this.port = port;
    int controllerPort = Ports.free();
    bootstrap = "127.0.0.1:" + (proxyPort == 0 ? port : proxyPort);
    properties.put("process.roles", "broker,controller");
    properties.put("node.id", "1");
    properties.put("controller.quorum.voters", "1@127.0.0.1:" + controllerPort);
    String bound = security.containsKey(ADVERTISED) ? "0.0.0.0:" : "127.0.0.1:";
    properties.put(
        "listeners", "CLIENTS://" + bound + port + ",CONTROLLER://127.0.0.1:" + controllerPort);
    properties.put(ADVERTISED, "CLIENTS://" + bootstrap);
    properties.put("controller.listener.names", "CONTROLLER");
    properties.put("inter.broker.listener.name", "CLIENTS");
    properties.put(PROTOCOLS, "CONTROLLER:PLAINTEXT,CLIENTS:PLAINTEXT");
    properties.putAll(security);
    properties.put("log.dirs", dir.toString());
    properties.put("num.partitions", Integer.toString(partitions));
    properties.put("offsets.topic.replication.factor", "1");
    // One that was killed is let in again when it counts as gone.
    properties.put("broker.session.timeout.ms", "2000");
    properties.put("broker.heartbeat.interval.ms", "200");
    properties.put("message.max.bytes", "400000");
    // Events of tests are from 1970.
    properties.put("log.retention.ms", "-1");
    if (!Files.exists(dir.resolve("meta.properties"))) {
      new Formatter()
          .setNodeId(1)
          .setClusterId(Uuid.randomUuid().toString())
          .setControllerListenerName("CONTROLLER")
          .addDirectory(dir.toString())
          .setMetadataLogDirectory(dir.toString())
          .setPrintStream(
              new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
          .run();
    }
    start();
  }

  /**
   * A broker in a JVM of its own, not started yet.
   *
   * @param password without which it lets nobody in; null lets everybody in
   */
  static ServerProcess process(int port, Path dir, int partitions, String password) {
    return process(port, dir, partitions, password, "");
  }

  /** One that also listens at another address of this machine. */
  static ServerProcess processAt(String host, int port, Path dir, int partitions) {
    return process(port, dir, partitions, null, host);
  }

  private static ServerProcess process(
      int port, Path dir, int partitions, String password, String host) {
    return ServerProcess.java(
        port,
        dir,
        KafkaBroker.class,
        dir.toString(),
        Integer.toString(partitions),
        Integer.toString(port),
        password == null ? "" : password,
        host);
  }

  public static void main(String[] args) throws Exception {
    KafkaBroker broker =
        new KafkaBroker(
            Path.of(args[0]),
            Integer.parseInt(args[1]),
            0,
            Integer.parseInt(args[2]),
            args[3].isEmpty() ? address(args[4], args[2]) : security(args[3]));
    System.in.transferTo(OutputStream.nullOutputStream()); // until the tests end, however they do
    broker.close();
  }

  private static Map<String, String> address(String host, String port) {
    return host.isEmpty() ? Map.of() : Map.of(ADVERTISED, "CLIENTS://" + host + ":" + port);
  }

  private static Map<String, String> security(String password) {
    return Map.of(
        PROTOCOLS,
        "CONTROLLER:PLAINTEXT,CLIENTS:SASL_PLAINTEXT",
        "sasl.enabled.mechanisms",
        "PLAIN",
        "sasl.mechanism.inter.broker.protocol",
        "PLAIN",
        "listener.name.clients.plain.sasl.jaas.config",
        jaas(password).replace(";", " user_" + USER + "=\"" + password + "\";"));
  }

  /** What a client says to a broker with a password. */
  static String jaas(String password) {
    return "org.apache.kafka.common.security.plain.PlainLoginModule required username=\""
        + USER
        + "\" password=\""
        + password
        + "\";";
  }

  private static void gaveUp(int status, String message) {
    throw new IllegalStateException("the Kafka broker ends with " + status + ": " + message);
  }

  int port() {
    return port;
  }

  public String bootstrap() {
    return bootstrap;
  }

  public void createTopic(String name, int partitions, Map<String, String> config)
      throws Exception {
    createTopic(bootstrap, name, partitions, config);
  }

  static void createTopic(String bootstrap, String name, int partitions, Map<String, String> config)
      throws Exception {
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
