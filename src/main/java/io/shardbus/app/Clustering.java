package io.shardbus.app;

import io.vertx.core.eventbus.EventBusOptions;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.core.spi.VertxServiceProvider;
import io.vertx.core.spi.cluster.ClusterManager;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ServiceLoader;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.xml.sax.ErrorHandler;
import org.xml.sax.SAXException;
import org.xml.sax.SAXParseException;

/** Makes a server a node of a cluster. */
final class Clustering {

  /** Where vertx-hazelcast looks for its configuration. */
  private static final String HAZELCAST = "vertx.hazelcast.config";

  private static final String OURS = "classpath:io/shardbus/app/hazelcast.xml";

  /** If a node is cut off, messages to it fail after about so long. */
  private static final int PATIENCE_MILLIS = 5_000;

  private Clustering() {}

  /**
   * Checks what can be checked without joining.
   *
   * @throws ConfigException naming what is missing or wrong
   */
  static void check(ClusterOptions options) {
    if (ServiceLoader.load(VertxServiceProvider.class).stream()
        .noneMatch(found -> ClusterManager.class.isAssignableFrom(found.type()))) {
      throw new ConfigException(
          "--cluster: there is no cluster manager on the class path, such as vertx-hazelcast");
    }
    String file = options.getConfigFile();
    if (file != null) {
      checkXml(Path.of(file));
    }
    ClusterTlsOptions tls = options.getTls();
    for (String pem : new String[] {tls.getCertificate(), tls.getKey(), tls.getTrust()}) {
      if (pem != null && !Files.isReadable(Path.of(pem))) {
        throw new ConfigException("cluster.tls: " + pem + " cannot be read");
      }
    }
  }

  private static void checkXml(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
      factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
      factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
      var builder = factory.newDocumentBuilder();
      builder.setErrorHandler(new Silent());
      builder.parse(in);
    } catch (NoSuchFileException e) {
      throw new ConfigException("cluster.configFile: " + file + ": there is no such file");
    } catch (SAXParseException e) {
      throw new ConfigException(
          "cluster.configFile: " + file + ": line " + e.getLineNumber() + ": " + e.getMessage());
    } catch (IOException | SAXException | ParserConfigurationException e) {
      throw new ConfigException("cluster.configFile: " + file + ": cannot be read: " + e);
    }
  }

  /** The parser would print to the standard error. */
  private static final class Silent implements ErrorHandler {

    @Override
    public void warning(SAXParseException e) {}

    @Override
    public void error(SAXParseException e) {}

    @Override
    public void fatalError(SAXParseException e) throws SAXParseException {
      throw e;
    }
  }

  /** Prepares the event bus, and the cluster manager by its system properties. */
  static void prepare(ClusterOptions options, EventBusOptions eventBus) {
    System.setProperty("shardbus.cluster.name", options.getName());
    System.setProperty("shardbus.cluster.host", options.getHost());
    System.setProperty("shardbus.cluster.port", Integer.toString(options.getPort()));
    System.setProperty("shardbus.cluster.members", options.getMembers());
    if (options.getConfigFile() != null) {
      System.setProperty(HAZELCAST, options.getConfigFile());
    } else if (System.getProperty(HAZELCAST) == null) {
      System.setProperty(HAZELCAST, OURS);
    }
    eventBus
        .setHost(options.getHost())
        .setPort(options.getEventBusPort())
        .setConnectTimeout(PATIENCE_MILLIS)
        .setClusterPingInterval(PATIENCE_MILLIS)
        .setClusterPingReplyInterval(PATIENCE_MILLIS);
    ClusterTlsOptions tls = options.getTls();
    if (tls.getCertificate() != null && tls.getKey() != null && tls.getTrust() != null) {
      eventBus
          .setSsl(true)
          .setTrustAll(false)
          .setClientAuth(ClientAuth.REQUIRED)
          .setKeyCertOptions(
              new PemKeyCertOptions().setCertPath(tls.getCertificate()).setKeyPath(tls.getKey()))
          .setTrustOptions(new PemTrustOptions().addCertPath(tls.getTrust()));
    }
  }

  /** What others on the network can reach, in words. */
  static String open(ClusterOptions options) {
    String where =
        "cluster \"" + options.getName() + "\": its ports listen on " + options.getHost();
    if (options.getHost().startsWith("127.") || options.getHost().equals("::1")) {
      return where + ", so only this machine reaches them";
    }
    return options.getTls().getCertificate() == null
        ? where + "; whoever reaches them can join, publish and consume"
        : where + "; whoever reaches them can join, but the event bus takes only certified nodes";
  }
}
