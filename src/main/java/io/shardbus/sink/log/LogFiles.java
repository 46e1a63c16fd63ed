package io.shardbus.sink.log;

import io.shardbus.files.DurableFile;
import io.shardbus.files.FileFault;
import io.shardbus.files.FolderLock;
import io.shardbus.sink.support.PositionCursor;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * The folder of the log: its lock, its id, its files, and the files to delete. Everything here
 * blocks.
 */
final class LogFiles implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LogFiles.class);

  /** Keeps a second process out. */
  static final String LOCK = "lock";

  static final String ID = "id";
  private static final Pattern ID_TEXT = Pattern.compile("(\\d{1,18}) ([0-9a-f]{8})\\s*");
  static final String FORMAT_FILE = "format";

  /** Raised whenever this version could not read the files of an earlier one. */
  static final String FORMAT = "6";

  private final Path dir;
  private final FolderLock lock;
  private final long id;
  private final LogDamage damage = new LogDamage(LOG::error);

  private LogFiles(Path dir, FolderLock lock, long id) {
    this.dir = dir;
    this.lock = lock;
    this.id = id;
  }

  /** Makes the folder if need be, and takes it for this process alone. */
  static LogFiles open(Path dir) throws IOException {
    FolderLock lock = FolderLock.take(dir, LOCK, "sink log");
    try {
      requireFormat(dir);
      return new LogFiles(dir, lock, id(dir));
    } catch (IOException e) {
      lock.close();
      throw e;
    }
  }

  /** A log of another format is left as it is. */
  private static void requireFormat(Path dir) throws IOException {
    Path file = dir.resolve(FORMAT_FILE);
    String found;
    if (Files.exists(file)) {
      found = Files.readString(file, StandardCharsets.ISO_8859_1).strip();
    } else if (Files.exists(dir.resolve(ID)) || !segments(dir).isEmpty()) {
      found = "1"; // which had no such file
    } else {
      write(file, FORMAT);
      return;
    }
    if (!found.equals(FORMAT)) {
      throw new IOException(
          "sink log: " + other(dir, found) + ": name another folder, or move this one away");
    }
  }

  /** Says that a folder has another format. */
  static String other(Path dir, String found) {
    return dir
        + " holds a log of format "
        + (found.matches("\\d{1,9}") ? found : "unknown")
        + ", and this version uses format "
        + FORMAT;
  }

  private static void write(Path file, String text) throws IOException {
    try {
      DurableFile.write(file, text + "\n");
    } catch (IOException e) {
      throw FileFault.of("sink log: cannot use " + file, e);
    }
  }

  /** Made with the folder, and synced before any cursor names it. */
  private static long id(Path dir) throws IOException {
    Path file = dir.resolve(ID);
    if (Files.exists(file)) {
      return readId(file);
    }
    long id = PositionCursor.newStore();
    write(file, id + " " + sum(Long.toString(id)));
    return id;
  }

  static long readId(Path file) throws IOException {
    Matcher text = ID_TEXT.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
    if (!text.matches() || !text.group(2).equals(sum(text.group(1)))) {
      throw new IOException(
          "sink log: cannot use "
              + file
              + ": it is damaged: it must hold a number and its checksum. Delete it, and every"
              + " cursor begins at the oldest event");
    }
    return Long.parseLong(text.group(1));
  }

  private static String sum(String number) {
    CRC32C crc = new CRC32C();
    crc.update(number.getBytes(StandardCharsets.US_ASCII));
    return String.format(Locale.ROOT, "%08x", crc.getValue());
  }

  /** Differs from the number of an earlier log in the same folder. */
  long id() {
    return id;
  }

  /** What the disk has left for this process. */
  long freeBytes() throws IOException {
    return Files.getFileStore(dir).getUsableSpace();
  }

  /** What readers found. */
  LogDamage damage() {
    return damage;
  }

  /** By writer, and by position. */
  List<Segment> segments() throws IOException {
    return segments(dir);
  }

  static List<Segment> segments(Path dir) throws IOException {
    try (Stream<Path> files = Files.list(dir)) {
      return files
          .flatMap(file -> Segment.of(file).stream())
          .sorted(Comparator.comparingInt(Segment::writer).thenComparingLong(Segment::first))
          .toList();
    }
  }

  /**
   * Where a writer goes on: its newest file, and the last position in it. If that file is damaged,
   * the writer begins a new one.
   */
  Start start(int writer) throws IOException, SQLException {
    List<Segment> mine = segments().stream().filter(s -> s.writer() == writer).toList();
    if (mine.isEmpty()) {
      return new Start(Segment.in(dir, writer, 1), 0);
    }
    Segment newest = mine.get(mine.size() - 1);
    if (newest.isSound()) {
      return new Start(newest, newest.last());
    }
    return behind(newest, 0);
  }

  /**
   * Makes the file in which a writer goes on behind a damaged one. Readers go on reading that.
   *
   * @param damaged the writer's newest file
   * @param last a position that is known to be given
   */
  static Start behind(Segment damaged, long last) throws IOException {
    long beyond = Math.max(last, damaged.beyond());
    Segment next = damaged.after(beyond);
    next.make();
    LOG.error(
        "the log file "
            + damaged.path()
            + " is damaged: it is only read from now on, as far as it can be, and new events go to "
            + next.path().getFileName());
    return new Start(next, beyond);
  }

  /** Repairs the files of writers that are not used any more: a killed one may have left work. */
  void mendFrom(int writers) throws IOException, SQLException {
    for (int writer : segments().stream().mapToInt(Segment::writer).distinct().toArray()) {
      if (writer >= writers) {
        start(writer);
      }
    }
  }

  /**
   * Where a writer goes on.
   *
   * @param segment its file
   * @param last the last position that was given
   */
  record Start(Segment segment, long last) {}

  /**
   * Deletes whole files, the oldest first, but never a current one: room for the current files to
   * grow is left. For a writer that is not used any more, an empty file stays.
   */
  void enforceLimits(LogSinkOptions options, Set<Segment> written) throws IOException {
    record Candidate(Segment segment, long bytes, long modified) {}
    List<Candidate> old = new ArrayList<>();
    Map<Integer, Segment> newest = new HashMap<>();
    Map<Integer, Long> modified = new HashMap<>();
    long total = written.size() * options.effectiveSegmentBytes();
    for (Segment segment : segments()) {
      newest.put(segment.writer(), segment);
      if (!written.contains(segment)) {
        long bytes = segment.bytes();
        total += bytes;
        // The files behind it are not older, whatever the clock did in between.
        long age = modified.merge(segment.writer(), segment.modifiedMillis(), Math::max);
        old.add(new Candidate(segment, bytes, age));
      }
    }
    // By number: a file that a writer has just made is not known as written yet.
    Set<Integer> writers = written.stream().map(Segment::writer).collect(Collectors.toSet());
    old.sort(Comparator.comparingLong(Candidate::modified));
    long expired =
        options.getRetention().isZero()
            ? Long.MIN_VALUE
            : System.currentTimeMillis() - options.getRetention().toMillis();
    for (Candidate candidate : old) {
      boolean tooMuch = options.getMaxBytes() > 0 && total > options.getMaxBytes();
      Segment segment = candidate.segment();
      if ((tooMuch || candidate.modified() < expired)
          && (!segment.equals(newest.get(segment.writer()))
              || (!writers.contains(segment.writer()) && makeNext(segment)))) {
        segment.delete();
        total -= candidate.bytes();
        LOG.info("deleted the log file " + segment.path() + ": beyond the limits");
      }
    }
  }

  /**
   * Before the newest file of a writer is deleted, another file must hold its last position.
   * Returns false if that file cannot be made, or if this file is empty and serves that purpose.
   */
  private static boolean makeNext(Segment newest) throws IOException {
    try {
      long last = newest.lastAtMost();
      if (last >= newest.first()) {
        newest.after(last).make();
        return true;
      }
    } catch (SQLException e) {
      LOG.warn("cannot tell where " + newest.path() + " ends, so it stays: " + e.toString());
    }
    return false;
  }

  @Override
  public void close() throws IOException {
    lock.close();
  }
}
