package io.shardbus.files;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A lock on a folder, for one user among all processes. It ends when it is closed, or with the
 * process, also after {@code kill -9}. Safe for any thread; blocks.
 *
 * <p>An operating system may drop the locks of a process on a file when the process closes any
 * channel to that file. So within the process, a check for the lock does not open the file.
 */
public final class FolderLock implements AutoCloseable {

  private static final Set<Path> TAKEN = new HashSet<>();

  private final Path file;
  private final FileChannel channel;

  private FolderLock(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Makes the folder if need be, and takes it.
   *
   * @param folder the folder
   * @param name the name of the lock file
   * @param what the role of the folder, for messages
   * @return the lock
   * @throws IOException if the folder cannot be used or is taken, with a message for the operator
   */
  public static FolderLock take(Path folder, String name, String what) throws IOException {
    try {
      PrivateFiles.makeFolders(folder);
    } catch (IOException e) {
      throw FileFault.of(what + ": cannot make the folder " + folder, e);
    }
    Path file = folder.toRealPath().resolve(name);
    synchronized (TAKEN) {
      if (!TAKEN.add(file)) {
        throw taken(folder, what);
      }
      try {
        return new FolderLock(file, lock(file, folder, what));
      } catch (IOException e) {
        TAKEN.remove(file);
        throw e;
      }
    }
  }

  /**
   * Keeps others from taking a folder that this process only reads. Other readers may share it.
   * Changes nothing in the folder.
   *
   * @param folder the folder
   * @param name the name of the lock file, which is there
   * @return the lock; null if the folder is taken
   * @throws IOException if the file cannot be opened or locked
   */
  public static @Nullable FolderLock share(Path folder, String name) throws IOException {
    Path file = folder.toRealPath().resolve(name);
    synchronized (TAKEN) {
      if (TAKEN.contains(file)) {
        return null;
      }
      FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
      if (channel.tryLock(0, Long.MAX_VALUE, true) == null) {
        channel.close();
        return null;
      }
      TAKEN.add(file);
      return new FolderLock(file, channel);
    }
  }

  /**
   * Checks whether the folder could be locked if no other user had it. Leaves no trace.
   *
   * @param folder the folder; null for none
   * @param what what the folder is, for messages
   * @throws IllegalArgumentException if the folder cannot be used, with a message for the operator
   */
  public static void check(@Nullable String folder, String what) {
    if (folder == null) {
      return;
    }
    Path there = Path.of(folder).toAbsolutePath();
    while (there.getParent() != null && !Files.exists(there)) {
      there = there.getParent();
    }
    if (!Files.isDirectory(there)) {
      throw new IllegalArgumentException(
          what + ": cannot make the folder " + folder + ": " + there + " is not a folder");
    }
    if (!Files.isWritable(there)) {
      throw new IllegalArgumentException(
          what + ": cannot write to the folder " + there + ": access denied");
    }
  }

  private static FileChannel lock(Path file, Path folder, String what) throws IOException {
    FileChannel channel;
    try {
      channel = PrivateFiles.open(file);
    } catch (IOException e) {
      throw FileFault.of(what + ": cannot write to the folder " + folder, e);
    }
    try {
      if (channel.tryLock() != null) {
        return channel;
      }
    } catch (OverlappingFileLockException e) {
      // taken by a copy of this class in this process; said below
    } catch (IOException e) {
      channel.close();
      throw FileFault.of(what + ": cannot lock " + file, e);
    }
    channel.close();
    throw taken(folder, what);
  }

  private static IOException taken(Path folder, String what) {
    return new IOException(
        what + ": the folder " + folder + " is in use, by another process or in this one");
  }

  /** Releases the folder. Idempotent. */
  @Override
  public void close() throws IOException {
    synchronized (TAKEN) {
      if (channel.isOpen()) {
        channel.close();
        TAKEN.remove(file);
      }
    }
  }
}
