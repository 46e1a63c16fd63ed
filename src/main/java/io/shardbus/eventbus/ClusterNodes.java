package io.shardbus.eventbus;

import io.shardbus.event.ClusterNode;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The buses of a cluster that serve one address, as far as their routers are heard. A bus that was
 * not closed and is silent stays known for ten minutes. Safe for any thread.
 */
public final class ClusterNodes {

  private static final long REMEMBERED_NANOS = TimeUnit.MINUTES.toNanos(10);

  /** A node that hangs must not hold up the others' answers for long. */
  private static final long ANSWER_MILLIS = 1_000;

  private final Vertx vertx;
  private final Supplier<JsonObject> report;
  private final String id = UUID.randomUUID().toString();
  private final String name;
  private final Map<String, Heard> others = new ConcurrentHashMap<>();

  private record Heard(String name, String router, long at) {}

  /**
   * Blocks: looks for the name of the machine.
   *
   * @param vertx where the bus is
   * @param report what the bus says about itself
   */
  public ClusterNodes(Vertx vertx, Supplier<JsonObject> report) {
    this.vertx = vertx;
    this.report = report;
    name = machine() + "/" + ProcessHandle.current().pid();
  }

  private static String machine() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "unknown";
    }
  }

  /** The same for all routers of this bus. */
  String id() {
    return id;
  }

  String name() {
    return name;
  }

  void reply(Message<Object> message) {
    message.reply(report.get());
  }

  void heard(String bus, String from, String router) {
    forgetSilent();
    if (!bus.equals(id)) {
      others.put(bus, new Heard(from, router, System.nanoTime()));
    }
  }

  void gone(String bus) {
    others.remove(bus);
  }

  /**
   * Asks all of them.
   *
   * @return this one first, then the others by name. One that does not answer within a second has
   *     no report
   */
  public Future<List<ClusterNode>> ask() {
    forgetSilent();
    long now = System.nanoTime();
    List<Future<ClusterNode>> answers =
        others.entrySet().stream()
            .sorted(Comparator.comparing(other -> other.getValue().name()))
            .map(other -> ask(other.getKey(), other.getValue(), now))
            .toList();
    ClusterNode self = new ClusterNode(id, name, true, 0, report.get());
    return Future.all(answers)
        .map(done -> Stream.concat(Stream.of(self), done.<ClusterNode>list().stream()).toList());
  }

  private void forgetSilent() {
    long now = System.nanoTime();
    others.values().removeIf(other -> now - other.at() > REMEMBERED_NANOS);
  }

  private Future<ClusterNode> ask(String bus, Heard other, long now) {
    long silent = TimeUnit.NANOSECONDS.toMillis(now - other.at());
    return PublisherProtocol.<JsonObject>request(
            vertx,
            other.router(),
            null,
            new DeliveryOptions()
                .setSendTimeout(ANSWER_MILLIS)
                .addHeader(PublisherProtocol.ASK, PublisherProtocol.REPORT))
        .map(answer -> new ClusterNode(bus, other.name(), false, silent, answer.body()))
        .otherwise(new ClusterNode(bus, other.name(), false, silent, null));
  }
}
