package io.shardbus.sink.file;

import io.shardbus.files.DurableFile;
import io.shardbus.files.FileFault;
import io.shardbus.files.FolderLock;
import io.shardbus.files.PrivateFiles;
import io.shardbus.sink.support.OwnThread;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/*
 * The files of a folder, of which the newest one is written. All blocks, and belongs to one thread; only files that are
 * full are compressed on another.
 */
final class RollingFile {

  private static final Logger LOG = LoggerFactory.getLogger(RollingFile.class);

  private static final String COMPLETE = ".ndjson";
  private static final String OPEN = COMPLETE + ".open";
  private static final String COMPRESSED = COMPLETE + ".gz";
  private static final String UNFINISHED = COMPRESSED + ".new";

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmssSSS'Z'", Locale.ROOT);

  private static final int SEARCH_BYTES = 64 << 10;

  private final Path folder;
  private final FileSinkOptions options;
  private final FolderLock lock;
  private final OwnThread gzip = new OwnThread("shardbus-file-gzip", "the sink is");
  private @Nullable Current current;

  /** The file that is written, up to {@code length}: what is behind it is torn. */
  private static final class Current {

    final Path path;
    final Instant begun;
    final FileChannel channel;
    long length;

    Current(Path path, Instant begun, FileChannel channel, long length) {
      this.path = path;
      this.begun = begun;
      this.channel = channel;
      this.length = length;
    }
  }

  private RollingFile(Path folder, FileSinkOptions options, FolderLock lock) {
    this.folder = folder;
    this.options = options;
    this.lock = lock;
  }

  static RollingFile open(Path folder, FileSinkOptions options) throws IOException {
    FolderLock lock = FolderLock.take(folder, "lock", "dir");
    RollingFile files = new RollingFile(folder, options, lock);
    try {
      files.goOn();
    } catch (IOException e) {
      files.gzip.end(() -> null);
      lock.close();
      throw FileFault.of("dir: cannot use the folder " + folder, e);
    }
    return files;
  }

  /** With what an earlier run has left. */
  private void goOn() throws IOException {
    for (Path unfinished : found(UNFINISHED)) {
      Files.delete(unfinished);
    }
    List<Path> open = found(OPEN);
    for (Path path : open) {
      if (Files.exists(renamed(path, OPEN, COMPRESSED))) {
        Files.delete(path); // all of it is compressed
        continue;
      }
      Current left = adopt(path);
      if (path.equals(open.get(open.size() - 1))) {
        current = left;
      } else {
        complete(left); // a roll that did not come to its end
      }
    }
  }

  /** By name, so by time. */
  private List<Path> found(String ending) throws IOException {
    TreeSet<Path> found = new TreeSet<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(folder)) {
      for (Path path : all) {
        String name = path.getFileName().toString();
        if (name.endsWith(ending) && begun(name) != null) {
          found.add(path);
        }
      }
    }
    return new ArrayList<>(found);
  }

  private static @Nullable Instant begun(String name) {
    try {
      String time = name.substring(0, Math.max(0, name.indexOf('.')));
      return LocalDateTime.parse(time, TIME).toInstant(ZoneOffset.UTC);
    } catch (DateTimeException e) {
      return null; // not one of ours
    }
  }

  private static Current adopt(Path path) throws IOException {
    FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      long length = lastLineEnd(channel);
      if (length < channel.size()) {
        LOG.warn(path + ": cut off a line that was not written to its end");
        channel.truncate(length);
        channel.force(true);
      }
      Instant begun = begun(path.getFileName().toString());
      return new Current(path, begun == null ? Instant.now() : begun, channel, length);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private static long lastLineEnd(FileChannel channel) throws IOException {
    ByteBuffer piece = ByteBuffer.allocate(SEARCH_BYTES);
    for (long end = channel.size(); end > 0; end = Math.max(0, end - SEARCH_BYTES)) {
      long from = Math.max(0, end - SEARCH_BYTES);
      piece.clear().limit((int) (end - from));
      while (piece.hasRemaining() && channel.read(piece, from + piece.position()) >= 0) {
        // reads on
      }
      for (int i = piece.position() - 1; i >= 0; i--) {
        if (piece.get(i) == '\n') {
          return from + i + 1;
        }
      }
    }
    return 0;
  }

  /** Either all of it is there afterwards, or it fails and nothing of it is. */
  void append(Buffer lines) throws IOException {
    rollIfDue(options.getMaxBytes());
    Current file = current;
    if (file == null) {
      file = begin();
    }
    ByteBuffer bytes = ByteBuffer.wrap(lines.getBytes());
    if (file.channel.size() > file.length) {
      file.channel.truncate(file.length); // an attempt failed in the middle
    }
    try {
      long at = file.length;
      while (bytes.hasRemaining()) {
        at += file.channel.write(bytes, at);
      }
      if (options.isSync()) {
        file.channel.force(false);
      }
      file.length = at;
    } catch (IOException e) {
      file.channel.truncate(file.length);
      throw e;
    }
  }

  private Current begin() throws IOException {
    Instant now = Instant.now();
    Path path = folder.resolve(TIME.format(now.atOffset(ZoneOffset.UTC)) + OPEN);
    while (isTaken(path)) {
      now = now.plusMillis(1);
      path = folder.resolve(TIME.format(now.atOffset(ZoneOffset.UTC)) + OPEN);
    }
    DurableFile.make(path);
    Current begun = new Current(path, now, PrivateFiles.open(path), 0);
    current = begun;
    return begun;
  }

  private boolean isTaken(Path open) {
    return Files.exists(open)
        || Files.exists(renamed(open, OPEN, COMPLETE))
        || Files.exists(renamed(open, OPEN, COMPRESSED));
  }

  private static Path renamed(Path path, String from, String to) {
    String name = path.getFileName().toString();
    return path.resolveSibling(name.substring(0, name.length() - from.length()) + to);
  }

  /**
   * If it fails, the sink goes on with the file, and rolls it later. If somebody has deleted the
   * file, the next events go to a new one.
   *
   * @param maxBytes a file as large as this is rolled
   */
  void rollIfDue(long maxBytes) {
    Current file = current;
    if (file == null) {
      return;
    }
    try {
      if (Files.notExists(file.path)) {
        LOG.warn(file.path + " is gone: new events go to another file");
        current = null;
        file.channel.close();
      } else if (isDue(file, maxBytes)) {
        complete(file);
        current = null;
      }
    } catch (IOException e) {
      LOG.warn("cannot complete " + file.path + ", goes on with it: " + e.getMessage());
    }
  }

  /** A file from the future is old, too: the clock was wrong when it was begun. */
  private boolean isDue(Current file, long maxBytes) {
    Duration age = options.getMaxAge();
    boolean old =
        !age.isZero() && Duration.between(file.begun, Instant.now()).abs().compareTo(age) >= 0;
    return file.length > 0 && (old || file.length >= maxBytes);
  }

  private void complete(Current file) throws IOException {
    file.channel.truncate(file.length);
    file.channel.force(true);
    if (!options.isGzip()) { // else it shows as complete only once it is compressed
      DurableFile.rename(file.path, renamed(file.path, OPEN, COMPLETE));
    }
    file.channel.close();
    if (options.isGzip()) {
      compressLater(file.path);
    }
  }

  private void compressLater(Path full) {
    gzip.execute(
        () -> {
          try {
            compress(full);
          } catch (IOException e) {
            LOG.warn("cannot compress " + full + ", tries again at the next start: " + e);
          }
        });
  }

  private static void compress(Path full) throws IOException {
    Path unfinished = renamed(full, OPEN, UNFINISHED);
    try (FileChannel channel = PrivateFiles.open(unfinished);
        InputStream in = Files.newInputStream(full);
        OutputStream out = new GZIPOutputStream(Channels.newOutputStream(channel), SEARCH_BYTES)) {
      in.transferTo(out);
      ((GZIPOutputStream) out).finish();
      channel.force(true);
    } catch (IOException e) {
      Files.deleteIfExists(unfinished);
      throw e;
    }
    DurableFile.rename(unfinished, renamed(full, OPEN, COMPRESSED));
    Files.delete(full);
  }

  /** Waits until what is complete is compressed. */
  void close() throws IOException {
    gzip.end(() -> null).toCompletionStage().toCompletableFuture().join();
    if (current != null) {
      current.channel.close();
    }
    lock.close();
  }
}
