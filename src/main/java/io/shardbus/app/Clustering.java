package io.shardbus.app;

import com.hazelcast.config.Config;
import com.hazelcast.config.XmlConfigBuilder;
import com.hazelcast.core.HazelcastException;
import io.shardbus.sink.support.TlsClientOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxBuilder;
import io.vertx.core.eventbus.EventBusOptions;
import io.vertx.core.http.ClientAuth;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Properties;

/** Makes a server a node of a cluster. */
final class Clustering {

  /** If a node is cut off, messages to it fail after about so long. */
  private static final int PATIENCE_MILLIS = 5_000;

  private Clustering() {}

  /**
   * Checks what can be checked without joining.
   *
   * @throws ConfigException naming what is missing or wrong
   */
  static void check(ClusterOptions options) {
    hazelcast(options);
    options.getTls().check();
  }

  /** Blocks: looks for the host. */
  static Future<Vertx> join(VertxBuilder builder, ClusterOptions options) {
    requireOwn(options.getHost());
    return builder
        .withClusterManager(new HazelcastClusterManager(hazelcast(options)))
        .buildClustered()
        .recover(
            e ->
                Future.failedFuture(
                    new IllegalStateException(
                        "cannot join the cluster by "
                            + (options.getService() == null
                                ? "cluster.members " + options.getMembers()
                                : "cluster.service " + options.getService())
                            + ": "
                            + Failures.describe(e),
                        e)));
  }

  /** Hazelcast says only that no interface matches. */
  private static void requireOwn(String host) {
    try {
      InetAddress address = InetAddress.getByName(host);
      if (address.isLoopbackAddress() || NetworkInterface.getByInetAddress(address) != null) {
        return;
      }
    } catch (IOException e) {
      // told below
    }
    throw new ConfigException("cluster.host: \"" + host + "\" must be an address of this machine");
  }

  private static Config hazelcast(ClusterOptions options) {
    Properties variables = new Properties();
    variables.putAll(System.getProperties());
    variables.setProperty("shardbus.cluster.name", options.getName());
    variables.setProperty("shardbus.cluster.host", options.getHost());
    variables.setProperty("shardbus.cluster.port", Integer.toString(options.getPort()));
    variables.setProperty("shardbus.cluster.members", options.getMembers());
    String service = options.getService();
    variables.setProperty("shardbus.cluster.service", service == null ? "-" : service);
    variables.setProperty("shardbus.cluster.by-members", Boolean.toString(service == null));
    variables.setProperty("shardbus.cluster.by-service", Boolean.toString(service != null));
    String file = options.getConfigFile();
    try (InputStream in =
        file == null
            ? Objects.requireNonNull(Clustering.class.getResourceAsStream("hazelcast.xml"))
            : Files.newInputStream(Path.of(file))) {
      XmlConfigBuilder xml = new XmlConfigBuilder(in);
      xml.setProperties(variables);
      return xml.build();
    } catch (NoSuchFileException e) {
      throw new ConfigException("cluster.configFile: " + file + ": there is no such file");
    } catch (IOException | HazelcastException e) {
      throw new ConfigException("cluster.configFile: " + file + ": " + Failures.describe(e));
    }
  }

  static void prepare(ClusterOptions options, EventBusOptions eventBus) {
    eventBus
        .setHost(options.getHost())
        .setPort(options.getEventBusPort())
        .setConnectTimeout(PATIENCE_MILLIS)
        .setClusterPingInterval(PATIENCE_MILLIS)
        .setClusterPingReplyInterval(PATIENCE_MILLIS);
    TlsClientOptions tls = options.getTls();
    if (tls.getKeyStore() != null) {
      eventBus
          .setSsl(true)
          .setClientAuth(ClientAuth.REQUIRED)
          .setKeyCertOptions(tls.certificate())
          .setTrustOptions(tls.trust());
    }
  }

  /** What others on the network can reach, in words. */
  static String open(ClusterOptions options, boolean secret) {
    String where =
        "cluster \"" + options.getName() + "\": its ports listen on " + options.getHost();
    if (options.getHost().startsWith("127.") || options.getHost().equals("::1")) {
      return where + ", so only this machine reaches them";
    }
    return where
        + "; whoever reaches them can join"
        + (options.getTls().getKeyStore() == null
            ? ""
            : "; the event bus takes only nodes with a certificate")
        + (secret ? "; publishers need the secret" : "; publishers need no secret");
  }
}
