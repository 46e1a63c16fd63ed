package io.shardbus.bench;

import io.vertx.core.Vertx;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Events per second over one connection on the loopback, by how many travel together: Shardbus by
 * HTTP and WebSocket, Redis by pipelined XADD, and NATS by publishing. Each server is a process of
 * its own; none writes to a disk. Where each lot is answered, a few are under way; the others send
 * as the connection takes it.
 */
final class NetworkStudy {

  private static final int[] EVENTS_TOGETHER = {1, 16, 256};
  private static final String WEB_SOCKET = "Shardbus, WebSocket, free-flowing";

  /** So many that only the connection limits it, and so few that the client reads in between. */
  private static final int WEB_SOCKET_LOTS = 4096;

  private static final String NATS = "NATS publish, free-flowing";

  private final Map<String, Way> ways = new LinkedHashMap<>();
  private final Windows windows;
  private final Table table;

  private NetworkStudy(Vertx vertx, int port, long nanos) {
    windows = new Windows(nanos);
    table =
        new Table(
            "Over one connection, %d B an event, %d lots under way where pipelined; %s"
                .formatted(Lots.EVENT_BYTES, Lots.UNDER_WAY, windows),
            "way",
            "events together",
            "thousand events/s",
            "range",
            "to NATS publish",
            "range",
            "target");
    ways.put("Shardbus, HTTP, pipelined", new HttpWay(vertx, port, "accepted"));
    ways.put(WEB_SOCKET, new WebSocketWay(vertx, port, "accepted", WEB_SOCKET_LOTS));
    if (ServerProcess.isInstalled(RedisWay.PROGRAM)) {
      ways.put("Redis XADD, pipelined", RedisWay.inMemory(vertx));
    }
    if (ServerProcess.isInstalled(NatsWay.PROGRAM)) {
      ways.put(NATS, new NatsWay());
    }
  }

  public static void main(String[] arguments) throws Exception {
    Vertx vertx = Vertx.vertx();
    try (Opened opened = new Opened()) {
      opened.add(() -> vertx.close().await());
      TemporaryFolder data = opened.add(new TemporaryFolder());
      ServerProcess server = opened.add(ServerProcess.shardbus(data.path(), "--sink", "noop"));
      System.out.println(new NetworkStudy(vertx, server.port(), Study.nanos(arguments)).run());
    }
  }

  private Table run() throws Exception {
    for (int events : EVENTS_TOGETHER) {
      Map<String, Windows.Measured> measured = windows.measure(ways, new Lots(events));
      measured.forEach((way, one) -> row(way, events, one, measured.get(NATS)));
    }
    for (String program : List.of(RedisWay.PROGRAM, NatsWay.PROGRAM)) {
      if (!ServerProcess.isInstalled(program)) {
        table.row(program, "", "skipped: not installed", "", "", "", "");
      }
    }
    return table;
  }

  private void row(String way, int events, Windows.Measured one, Windows.Measured nats) {
    Spread rate = new Spread("%.1f", one.rates().stream().map(each -> each / 1e3).toList());
    List<Double> ratios =
        nats == null || nats == one
            ? List.of()
            : IntStream.range(0, one.rates().size())
                .mapToObj(i -> one.rates().get(i) / nats.rates().get(i))
                .toList();
    Spread toNats = new Spread("%.2f", ratios);
    table.row(
        way,
        "" + events,
        rate.median(),
        rate.range(),
        toNats.median(),
        toNats.range(),
        way.equals(WEB_SOCKET) && events > 1
            ? Target.atLeast(1, "times NATS publish", Median.of(ratios))
            : "");
  }
}
