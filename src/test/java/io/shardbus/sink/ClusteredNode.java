package io.shardbus.sink;

import com.hazelcast.config.Config;
import com.hazelcast.config.ConfigXmlGenerator;
import io.shardbus.sink.eventbus.EventBusConsumer;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.eventbus.EventBusOptions;
import io.vertx.spi.cluster.hazelcast.ConfigUtil;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A Vert.x instance of a cluster on this machine; as a program, a consumer that never answers. */
public final class ClusteredNode {

  /** How many seconds a node that joins waits for others that come too: 5 by default. */
  private static final String JOIN_WAIT = "hazelcast.wait.seconds.before.join";

  /** For a JVM whose node shall join at once. */
  public static final String JOIN_AT_ONCE = "-D" + JOIN_WAIT + "=0";

  private ClusteredNode() {}

  /** The cluster manager's configuration, for a node that is a process of its own. */
  public static String xml(String cluster, int port) {
    return new ConfigXmlGenerator(true, false).generate(config(cluster, port, "127.0.0.1"));
  }

  private static Config config(String cluster, int port, String host) {
    Config config = ConfigUtil.loadConfig();
    config.setClusterName(cluster);
    config.setProperty("hazelcast.phone.home.enabled", "false");
    config.setProperty("hazelcast.logging.type", "slf4j");
    config.setProperty(JOIN_WAIT, "0");
    config.setProperty("hazelcast.heartbeat.interval.seconds", "1");
    config.setProperty("hazelcast.max.no.heartbeat.seconds", "5");
    config.setProperty("hazelcast.shutdownhook.enabled", "false");
    config.setProperty("hazelcast.socket.bind.any", "false");
    var network = config.getNetworkConfig();
    network.setPort(port).setPortAutoIncrement(true).setPortCount(10);
    network.getInterfaces().setEnabled(true).setInterfaces(List.of(host));
    network.getJoin().getMulticastConfig().setEnabled(false);
    network.getJoin().getAutoDetectionConfig().setEnabled(false);
    network.getJoin().getTcpIpConfig().setEnabled(true).addMember(host + ":" + port);
    return config;
  }

  public static Vertx start(String cluster, int port) throws Exception {
    return start(cluster, port, "127.0.0.1");
  }

  static Vertx start(String cluster, int port, String host) throws Exception {
    return start(cluster, port, new EventBusOptions().setHost(host));
  }

  public static Vertx start(String cluster, int port, EventBusOptions eventBus) throws Exception {
    return Vertx.builder()
        .with(new VertxOptions().setEventBusOptions(eventBus))
        .withClusterManager(new HazelcastClusterManager(config(cluster, port, eventBus.getHost())))
        .buildClustered()
        .toCompletionStage()
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS);
  }

  /** Prints a line when it is ready and one for each batch. */
  public static void main(String[] args) throws Exception {
    Vertx vertx = start(args[0], Integer.parseInt(args[1]));
    EventBusConsumer.start(
            vertx,
            args[2],
            10,
            batch -> {
              System.out.println("BATCH");
              return Promise.<Void>promise().future();
            })
        .onSuccess(consumer -> System.out.println("READY"));
  }
}
