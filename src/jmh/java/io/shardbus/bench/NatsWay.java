package io.shardbus.bench;

import io.nats.client.Connection;
import io.nats.client.Nats;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Publishes to a NATS server of its own, which does not answer. To count what the server has read,
 * it is asked for an answer now and then, while the publisher goes on.
 */
final class NatsWay implements Way {

  static final String PROGRAM = "nats-server";

  private static final long COUNT_EVERY_MILLIS = 5;
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  @Override
  public void open(Lots lots, Confirmations confirmations, Opened opened)
      throws IOException, InterruptedException {
    TemporaryFolder folder = opened.add(new TemporaryFolder());
    ServerProcess server =
        opened.add(ServerProcess.start(folder.path(), PROGRAM, "--port", "-a", "127.0.0.1"));
    Connection connection = opened.add(Nats.connect("nats://127.0.0.1:" + server.port()));
    Session session = new Session(connection, lots, confirmations);
    opened.add(new Loop("publisher", session::publish));
    opened.add(new Loop("counter", session::count));
  }

  private static final class Session {

    private final Connection connection;
    private final Lots.Cycle<List<byte[]>> lots;
    private final Confirmations confirmations;
    private final AtomicLong published = new AtomicLong();
    private long counted;

    Session(Connection connection, Lots lots, Confirmations confirmations) {
      this.connection = connection;
      this.lots = lots.as(lot -> lot);
      this.confirmations = confirmations;
    }

    void publish() {
      List<byte[]> lot = lots.next();
      for (byte[] event : lot) {
        connection.publish("bench", event);
      }
      published.lazySet(published.getPlain() + lot.size());
    }

    void count() throws TimeoutException, InterruptedException {
      long before = published.get();
      connection.flush(PATIENCE);
      confirmations.add(before - counted);
      counted = before;
      Thread.sleep(COUNT_EVERY_MILLIS);
    }
  }
}
