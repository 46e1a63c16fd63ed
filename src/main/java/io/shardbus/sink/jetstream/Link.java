package io.shardbus.sink.jetstream;

import io.nats.client.Connection;
import io.nats.client.JetStream;
import io.nats.client.JetStreamManagement;
import io.nats.client.api.DiscardPolicy;
import io.nats.client.api.StreamConfiguration;
import java.io.IOException;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/*
 * A connection, and how many more events may be published over it before one is confirmed. It is given up when an
 * answer is missing. After each refusal the stream is looked at again.
 */
final class Link {

  /** The bytes that the server needs for a message besides its subject, headers and payload. */
  private static final int RECORD_BYTES = 34;

  private final Connection connection;
  private final JetStream jetStream;
  private final JetStreamManagement management;
  private final Semaphore permits;
  private volatile boolean doubtful;
  private volatile @Nullable StreamConfiguration stream;

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

  /**
   * Whether the server can ever take a message.
   *
   * @param bytes of its headers and payload
   */
  boolean takes(String subject, long bytes) {
    StreamConfiguration known = stream;
    return bytes <= connection.getMaxPayload() && (known == null || takes(known, subject, bytes));
  }

  /** A stream without a limit says -1. A full one that discards the oldest takes any message. */
  private static boolean takes(StreamConfiguration stream, String subject, long bytes) {
    long mostBytes = stream.getDiscardPolicy() == DiscardPolicy.New ? stream.getMaxBytes() : -1;
    long stored = bytes + subject.length() + RECORD_BYTES;
    return (stream.getMaximumMessageSize() < 0 || bytes <= stream.getMaximumMessageSize())
        && (mostBytes < 0 || stored <= mostBytes);
  }

  boolean knowsStream() {
    return stream != null;
  }

  /** The stream exists and has these limits. */
  void know(StreamConfiguration found) {
    stream = found;
  }

  /** It may be gone, or have changed. */
  void doubtStream() {
    stream = null;
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
