package io.shardbus.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Writes small files. Whatever happens, the old content or the new content is there. */
public final class DurableFile {

  private DurableFile() {}

  /**
   * Writes a file. Blocks until it is on the disk.
   *
   * @param file the file, in a folder that is there
   * @param content what is in it from now on
   * @throws IOException if it cannot be written; the old content is then still there
   */
  public static void write(Path file, String content) throws IOException {
    Path temporary = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(temporary); // a killed process can have left one
    try (FileChannel channel = PrivateFiles.open(temporary)) {
      write(channel, 0, content);
    }
    rename(temporary, file);
  }

  /**
   * Gives a file another name in its folder. Blocks until the name is on the disk.
   *
   * @param from the file
   * @param to its new name; a file of that name is replaced
   * @throws IOException if it cannot be renamed
   */
  public static void rename(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    syncName(to);
  }

  /**
   * Overwrites a part of a file in place, which needs no room on the disk. Blocks until it is on
   * the disk. If the machine fails meanwhile, there can be anything in that part, and only there.
   *
   * @param file the file, which is there
   * @param from the part's first byte
   * @param content what is there from now on, not beyond the end of the file
   * @throws IOException if it cannot be written
   */
  public static void overwrite(Path file, long from, String content) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      write(channel, from, content);
    }
  }

  private static void write(FileChannel channel, long from, String content) throws IOException {
    ByteBuffer text = ByteBuffer.wrap(content.getBytes(StandardCharsets.UTF_8));
    for (long at = from; text.hasRemaining(); ) {
      at += channel.write(text, at);
    }
    channel.force(true);
  }

  /**
   * Makes an empty file, unless it is there. Blocks until its name is on the disk.
   *
   * @param file the file, in a folder that is there
   * @throws IOException if it cannot be made
   */
  public static void make(Path file) throws IOException {
    boolean made = PrivateFiles.make(file);
    try {
      syncName(file);
    } catch (IOException e) {
      if (made) { // after a failure, callers behave as if the file were missing
        Files.deleteIfExists(file);
      }
      throw e;
    }
  }

  private static void syncName(Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (folder != null) {
      try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
        directory.force(true);
      }
    }
  }
}
