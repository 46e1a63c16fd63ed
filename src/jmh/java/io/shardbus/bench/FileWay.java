package io.shardbus.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;

/** Appends to a file and syncs it: what the disk can do, without a server or a connection. */
final class FileWay implements Way {

  private static final long LARGEST_FILE = 256L << 20;

  private final int lotsASync;

  FileWay(int lotsASync) {
    this.lotsASync = lotsASync;
  }

  @Override
  public void open(Lots lots, Confirmations confirmations, Opened opened) throws IOException {
    TemporaryFolder folder = opened.add(new TemporaryFolder());
    FileChannel file =
        opened.add(
            FileChannel.open(
                folder.path().resolve("events"),
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.WRITE));
    Lots.Cycle<ByteBuffer> bytes = lots.as(lot -> ByteBuffer.wrap(Ndjson.of(lot).getBytes()));
    opened.add(new Loop("writer", () -> write(file, bytes, lots.size(), confirmations)));
  }

  private void write(
      FileChannel file, Lots.Cycle<ByteBuffer> bytes, int size, Confirmations confirmations)
      throws IOException {
    long sentAt = System.nanoTime();
    for (int i = 0; i < lotsASync; i++) {
      ByteBuffer lot = bytes.next().duplicate();
      while (lot.hasRemaining()) {
        file.write(lot);
      }
    }
    file.force(false);
    for (int i = 0; i < lotsASync; i++) {
      confirmations.add(size, sentAt);
    }
    if (file.size() > LARGEST_FILE) {
      file.truncate(0);
    }
  }
}
