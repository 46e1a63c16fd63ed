package io.shardbus.files;

import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * Makes folders (0700) and files (0600) that no other user can open, whatever the umask. Existing
 * ones keep their permissions. On a file system without POSIX permissions it sets nothing and does
 * not fail.
 */
public final class PrivateFiles {

  private static final Logger LOG = LoggerFactory.getLogger(PrivateFiles.class);
  private static final Set<PosixFilePermission> FOLDER =
      PosixFilePermissions.fromString("rwx------");
  private static final Set<PosixFilePermission> FILE = PosixFilePermissions.fromString("rw-------");

  private PrivateFiles() {}

  /**
   * Makes a folder, and the folders above it that are missing.
   *
   * @param folder the folder
   * @throws IOException if it cannot be made
   */
  public static void makeFolders(Path folder) throws IOException {
    Files.createDirectories(folder, only(folder, FOLDER));
  }

  /**
   * Makes an empty file, unless it is there.
   *
   * @param file the file, in a folder that is there
   * @return whether it was made just now
   * @throws IOException if it cannot be made
   */
  public static boolean make(Path file) throws IOException {
    try {
      Files.createFile(file, only(file, FILE));
      return true;
    } catch (FileAlreadyExistsException e) {
      return false;
    }
  }

  /**
   * Opens a file for writing, and makes it if it is not there.
   *
   * @param file the file, in a folder that is there
   * @return the channel, at the beginning of the file
   * @throws IOException if it cannot be opened
   */
  public static FileChannel open(Path file) throws IOException {
    Set<OpenOption> how = Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    return FileChannel.open(file, how, only(file, FILE));
  }

  /**
   * Logs a warning, with the command that mends it, if every local user can enter a folder.
   *
   * @param folder the folder, which is there
   * @param what the role of the folder, for the message
   * @throws IOException if its permissions cannot be read
   */
  public static void warnIfOpenToOthers(Path folder, String what) throws IOException {
    if (!hasPermissions(folder)) {
      return;
    }
    Set<PosixFilePermission> found = Files.getPosixFilePermissions(folder);
    if (found.contains(PosixFilePermission.OTHERS_READ)
        || found.contains(PosixFilePermission.OTHERS_EXECUTE)) {
      LOG.warn(
          what
              + ": every local user can read the folder "
              + folder
              + ". To keep them out: chmod -R o-rwx '"
              + folder.toAbsolutePath()
              + "'");
    }
  }

  private static FileAttribute<?>[] only(Path path, Set<PosixFilePermission> permissions) {
    return hasPermissions(path)
        ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(permissions)}
        : new FileAttribute<?>[0];
  }

  private static boolean hasPermissions(Path path) {
    return path.getFileSystem().supportedFileAttributeViews().contains("posix");
  }
}
