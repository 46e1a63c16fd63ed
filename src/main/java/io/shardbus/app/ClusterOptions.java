package io.shardbus.app;

import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.shardbus.sink.support.TlsClientOptions;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import org.jspecify.annotations.Nullable;

/** How a server joins a Vert.x cluster. */
@DataObject
public final class ClusterOptions {

  /** The default of {@code host}. */
  public static final String DEFAULT_HOST = "127.0.0.1";

  /** The default of {@code port}. */
  public static final int DEFAULT_PORT = 5701;

  /** The default of {@code name}. */
  public static final String DEFAULT_NAME = "shardbus";

  /** The default of {@code members}: the first ports from {@code port} on this machine. */
  public static final String DEFAULT_MEMBERS = "127.0.0.1";

  private boolean enabled;
  private String host = DEFAULT_HOST;
  private int port = DEFAULT_PORT;
  private int eventBusPort;
  private String name = DEFAULT_NAME;
  private String members = DEFAULT_MEMBERS;
  private @Nullable String service;
  private @Nullable String configFile;
  private TlsClientOptions tls = new TlsClientOptions();

  /** No cluster. */
  public ClusterOptions() {}

  /**
   * @param other the options to copy
   */
  public ClusterOptions(ClusterOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public ClusterOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /** {@return whether the server joins a cluster} */
  public boolean isEnabled() {
    return enabled;
  }

  /**
   * @param join whether the server joins a cluster
   * @return this
   */
  @OptionSpec("whether the server joins a Vert.x cluster; the flag `--cluster`")
  public ClusterOptions setEnabled(boolean join) {
    enabled = join;
    return this;
  }

  /** {@return the address at which other nodes reach this one} */
  public String getHost() {
    return host;
  }

  /**
   * @param address at which other nodes reach this one. The ports of the cluster and of the event
   *     bus listen there and nowhere else
   * @return this
   */
  @OptionSpec(
      value = "address of this node for the others; the cluster and event-bus ports listen there",
      min = "1")
  public ClusterOptions setHost(String address) {
    host = OptionRanges.check(this, "host", address);
    return this;
  }

  /** {@return the port of the cluster manager} */
  public int getPort() {
    return port;
  }

  /**
   * @param number the port of the cluster manager; if it is taken, one of the next 100
   * @return this
   */
  @OptionSpec(
      value = "port of the cluster manager, or one of the next 100 if it is taken",
      min = "1",
      max = "65435")
  public ClusterOptions setPort(int number) {
    port = OptionRanges.check(this, "port", number);
    return this;
  }

  /** {@return the port of the event bus; 0 for a free one} */
  public int getEventBusPort() {
    return eventBusPort;
  }

  /**
   * @param number the port of the event bus; 0 for a free one
   * @return this
   */
  @OptionSpec(value = "port of the event bus; 0: a free one", min = "0", max = "65535")
  public ClusterOptions setEventBusPort(int number) {
    eventBusPort = OptionRanges.check(this, "eventBusPort", number);
    return this;
  }

  /** {@return the name of the cluster} */
  public String getName() {
    return name;
  }

  /**
   * @param text the name of the cluster; nodes with another name do not join it
   * @return this
   */
  @OptionSpec(value = "name of the cluster; nodes with another name stay apart", min = "1")
  public ClusterOptions setName(String text) {
    name = OptionRanges.check(this, "name", text);
    return this;
  }

  /** {@return where the other nodes are} */
  public String getMembers() {
    return members;
  }

  /**
   * @param addresses where the other nodes are: HOST or HOST:PORT, separated by commas; not all
   *     need be named
   * @return this
   */
  @OptionSpec(
      value = "where other nodes are",
      min = "1",
      allowed = "`host` or `host:port`, separated by commas")
  public ClusterOptions setMembers(String addresses) {
    members = OptionRanges.check(this, "members", addresses);
    return this;
  }

  /** {@return the DNS name that has the addresses of all nodes; null for {@code members}} */
  public @Nullable String getService() {
    return service;
  }

  /**
   * @param dnsName a DNS name that has the addresses of all nodes, such as that of a headless
   *     service of Kubernetes; null for {@code members}
   * @return this
   */
  @OptionSpec(
      value =
          "DNS name that has the addresses of all nodes, such as a headless service of Kubernetes;"
              + " instead of `members`",
      min = "1",
      allowed = "a DNS name")
  public ClusterOptions setService(@Nullable String dnsName) {
    service = dnsName == null ? null : OptionRanges.check(this, "service", dnsName);
    return this;
  }

  /** {@return the cluster manager's own configuration; null for the server's} */
  public @Nullable String getConfigFile() {
    return configFile;
  }

  /**
   * @param file Hazelcast's own configuration, as XML. It may use the options as {@code
   *     ${shardbus.cluster.host}} and so on; null for the server's own
   * @return this
   */
  @OptionSpec(
      value = "XML file for Hazelcast, instead of the server's own",
      min = "1",
      allowed = "a path")
  public ClusterOptions setConfigFile(@Nullable String file) {
    configFile = file == null ? null : OptionRanges.check(this, "configFile", file);
    return this;
  }

  /** {@return how the event bus is encrypted} */
  public TlsClientOptions getTls() {
    return tls;
  }

  /**
   * @param options how the event bus is encrypted
   * @return this
   */
  @OptionSpec("TLS of the event bus")
  public ClusterOptions setTls(TlsClientOptions options) {
    tls = options;
    return this;
  }

  /**
   * Checks what depends on each other.
   *
   * @throws IllegalArgumentException naming the option
   */
  void validate() {
    if ((tls.getKeyStore() == null) != (tls.getTrustStore() == null)) {
      throw new IllegalArgumentException(
          "cluster.tls: keyStore and trustStore are needed together");
    }
  }

  /** {@return all options as JSON} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
