package io.shardbus.sink.jetstream;

import io.nats.client.Connection;
import io.nats.client.JetStream;
import io.nats.client.JetStreamManagement;
import java.io.IOException;
import java.util.concurrent.Semaphore;

/*
 * A connection, and how many more events may be published over it before one is confirmed. It is given up when an answer
 * is missing.
 */
final class Link {

  private final Connection connection;
  private final JetStream jetStream;
  private final JetStreamManagement management;
  private final Semaphore permits;
  private volatile boolean doubtful;

  Link(Connection connection, int maxInFlight) throws IOException {
    this.connection = connection;
    jetStream = connection.jetStream();
    management = connection.jetStreamManagement();
    permits = new Semaphore(maxInFlight);
  }

  JetStream jetStream() {
    return jetStream;
  }

  JetStreamManagement management() {
    return management;
  }

  Semaphore permits() {
    return permits;
  }

  long maxPayload() {
    return connection.getMaxPayload();
  }

  void doubt() {
    doubtful = true;
  }

  boolean isUsable() {
    return !doubtful && connection.getStatus() == Connection.Status.CONNECTED;
  }

  void close() {
    try {
      connection.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
