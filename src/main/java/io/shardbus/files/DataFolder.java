package io.shardbus.files;

import io.shardbus.event.ProducerId;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The folder in which a bus keeps what must outlive it. It is locked: two buses with one folder
 * would give events the same ids.
 */
public final class DataFolder implements AutoCloseable {

  private final @Nullable Path path;
  private final @Nullable FolderLock lock;
  private final ProducerId producer;

  private DataFolder(@Nullable Path path, @Nullable FolderLock lock, ProducerId producer) {
    this.path = path;
    this.lock = lock;
    this.producer = producer;
  }

  /**
   * Locks the folder, and gives this run its producer id. Makes the folder if it is not there.
   * Blocks.
   *
   * @param name the folder's path; null to keep nothing
   * @return the folder
   * @throws IOException if the folder cannot be used or is taken, with a message for the operator
   */
  public static DataFolder open(@Nullable String name) throws IOException {
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

  /** {@return the folder's path; null if nothing is kept} */
  public @Nullable Path path() {
    return path;
  }

  /** {@return who gives the sequences: the id, and the epoch of this run} */
  public ProducerId producer() {
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
