package io.shardbus;

import io.shardbus.event.ProducerId;
import io.shardbus.sink.FolderLock;
import io.shardbus.sink.PrivateFiles;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The folder in which a bus keeps what must outlive it. It is locked: two buses with one folder
 * would give events the same ids.
 */
final class DataFolder implements AutoCloseable {

  private final @Nullable Path path;
  private final @Nullable FolderLock lock;
  private final ProducerId producer;

  private DataFolder(@Nullable Path path, @Nullable FolderLock lock, ProducerId producer) {
    this.path = path;
    this.lock = lock;
    this.producer = producer;
  }

  /** Blocks. Makes the folder if need be. */
  static DataFolder open(@Nullable String name) throws IOException {
    if (name == null) {
      return new DataFolder(null, null, ProducerIdentity.next(null));
    }
    Path path = Path.of(name);
    FolderLock lock = FolderLock.take(path, "bus.lock", "dataDir");
    try {
      PrivateFiles.warnIfOpenToOthers(path, "dataDir");
      return new DataFolder(path, lock, ProducerIdentity.next(path));
    } catch (IOException e) {
      lock.close();
      throw e;
    }
  }

  @Nullable Path path() {
    return path;
  }

  /** Who gives the sequences in this run. */
  ProducerId producer() {
    return producer;
  }

  /** Leaves the folder to another bus. Blocks. Idempotent. */
  @Override
  public void close() throws IOException {
    if (lock != null) {
      lock.close();
    }
  }
}
