package io.shardbus.bench;

import io.nats.client.Connection;
import io.nats.client.JetStream;
import io.nats.client.JetStreamApiException;
import io.nats.client.Nats;
import io.nats.client.api.StorageType;
import io.nats.client.api.StreamConfiguration;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Publishes into a stream, in files, of a NATS server of its own; each event is answered. */
final class JetStreamWay implements Way {

  private static final String STREAM = "bench";

  @Override
  public void open(Lots lots, Confirmations confirmations, Opened opened)
      throws IOException, InterruptedException, JetStreamApiException {
    TemporaryFolder folder = opened.add(new TemporaryFolder());
    ServerProcess server =
        opened.add(
            ServerProcess.start(
                folder.path(),
                NatsWay.PROGRAM,
                "--port",
                "-a",
                "127.0.0.1",
                "-js",
                "-sd",
                folder.path().toString()));
    Connection connection = opened.add(Nats.connect("nats://127.0.0.1:" + server.port()));
    connection
        .jetStreamManagement()
        .addStream(
            StreamConfiguration.builder()
                .name(STREAM)
                .subjects(STREAM)
                .storageType(StorageType.File)
                .build());
    Repeat repeat = opened.add(new Repeat());
    Publisher publisher = new Publisher(connection.jetStream(), lots, confirmations, repeat);
    opened.add(new Loop("publisher", publisher::turn));
  }

  private static final class Publisher {

    private static final long LOOK_UP_MILLIS = 100;

    private final JetStream stream;
    private final Lots.Cycle<List<byte[]>> lots;
    private final Confirmations confirmations;
    private final Repeat repeat;
    private final Semaphore room = new Semaphore(Lots.UNDER_WAY);

    Publisher(JetStream stream, Lots lots, Confirmations confirmations, Repeat repeat) {
      this.stream = stream;
      this.lots = lots.as(lot -> lot);
      this.confirmations = confirmations;
      this.repeat = repeat;
    }

    void turn() throws InterruptedException {
      if (!room.tryAcquire(LOOK_UP_MILLIS, TimeUnit.MILLISECONDS)) {
        return;
      }
      long sentAt = System.nanoTime();
      List<byte[]> lot = lots.next();
      CompletableFuture<?>[] answers =
          lot.stream()
              .map(event -> stream.publishAsync(STREAM, event))
              .toArray(CompletableFuture<?>[]::new);
      CompletableFuture.allOf(answers)
          .whenComplete(
              (done, failure) -> {
                if (failure == null) {
                  confirmations.add(lot.size(), sentAt);
                } else {
                  repeat.fail(failure);
                }
                room.release();
              });
    }
  }
}
