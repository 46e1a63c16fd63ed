package io.shardbus.sink.log;

import io.shardbus.event.AttributeCodec;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.files.SqliteFiles;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.support.PageBuilder;
import io.shardbus.sink.support.PositionCursor;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/*
 * Reads pages of the log. The files of each writer are one stream, in the order of commits, which within a shard is the
 * order of sequences. A cursor holds a position in each stream. The streams are merged by timestamp: the next event
 * always comes from the stream whose next event is the oldest, so no stream starves.
 */
final class LogReader {

  /** The events are the outer loop, so that they come in order without being sorted. */
  private static final String BEHIND =
      "SELECT position, producer, shard, sequence, timestamp, attributes, payload, id, epoch "
          + "FROM events CROSS JOIN producers ON number = producer "
          + "WHERE position > ? ORDER BY position";

  private LogReader() {}

  /**
   * @param damaged told of the newest file of a writer if it is damaged. A page ends with the
   *     events before the damage; later pages read on once there is a newer file
   */
  static EventPage read(
      LogFiles files, PositionCursor cursor, EventQuery query, Consumer<Segment> damaged)
      throws IOException, SQLException {
    return Opening.evenIfFull(
        Segment::openForReading, way -> read(files, cursor, query, damaged, way));
  }

  private static EventPage read(
      LogFiles files,
      PositionCursor cursor,
      EventQuery query,
      Consumer<Segment> damaged,
      Opening.Way way)
      throws IOException, SQLException {
    Map<Integer, List<Segment>> byWriter =
        files.segments().stream()
            .collect(Collectors.groupingBy(Segment::writer, TreeMap::new, Collectors.toList()));
    TreeMap<String, Long> positions = new TreeMap<>(cursor.positions());
    PageBuilder page = new PageBuilder(query);
    PriorityQueue<Stream> streams =
        new PriorityQueue<>(
            Comparator.comparingLong(stream -> stream.head().event.event().timestamp()));
    List<Stream> opened = new ArrayList<>();
    try {
      for (Map.Entry<Integer, List<Segment>> entry : byWriter.entrySet()) {
        String name = Integer.toString(entry.getKey());
        Stream stream =
            new Stream(name, entry.getValue(), cursor.position(name), query, page, damaged, way);
        opened.add(stream);
        if (stream.advance()) {
          streams.add(stream);
        }
      }
      while (page.hasRoom()) {
        Stream stream = streams.poll();
        if (stream == null) {
          break;
        }
        Row row = stream.head();
        positions.put(stream.name, row.position);
        page.scan(row.event);
        if (stream.advance()) {
          streams.add(stream);
        }
      }
    } finally {
      for (Stream stream : opened) {
        stream.close();
      }
    }
    return page.page(new PositionCursor(positions).format(LogSink.NAME), !streams.isEmpty());
  }

  private record Row(long position, StoredEvent event) {}

  /** One writer's events from a position on, file after file. */
  private static final class Stream {

    final String name;
    private final Deque<Segment> segments;
    private final EventQuery query;
    private final PageBuilder page;
    private final Consumer<Segment> damaged;
    private final Opening.Way way;
    private final Map<Long, ProducerId> producers = new HashMap<>();
    private long position;
    private @Nullable Connection connection;
    private @Nullable ResultSet rows;
    private @Nullable Segment current;
    private @Nullable Row head;

    Stream(
        String name,
        List<Segment> all,
        long position,
        EventQuery query,
        PageBuilder page,
        Consumer<Segment> damaged,
        Opening.Way way)
        throws IOException {
      this.name = name;
      this.position = position;
      this.query = query;
      this.page = page;
      this.damaged = damaged;
      this.way = way;
      segments = new ArrayDeque<>(all);
      // A file ends where the next one begins.
      while (segments.size() > 1
          && (all.get(all.size() - segments.size() + 1).first() <= position + 1
              || isTooOld(segments.element()))) {
        segments.remove();
      }
    }

    private boolean isTooOld(Segment segment) throws IOException {
      try {
        return page.sinceMillis() >= 0 && segment.modifiedMillis() < page.sinceMillis();
      } catch (NoSuchFileException e) {
        return true;
      }
    }

    Row head() {
      if (head == null) {
        throw new IllegalStateException("no row");
      }
      return head;
    }

    boolean advance() throws SQLException, IOException {
      while (true) {
        try {
          if (rows == null && !openNext()) {
            head = null;
            return false;
          }
          ResultSet open = rows;
          if (open != null && open.next()) {
            head = row(open);
            if (page.isPast(head.event.event().timestamp())) {
              segments.clear();
              close();
              head = null;
              return false;
            }
            position = head.position;
            return true;
          }
          close();
        } catch (SQLException e) {
          close();
          Segment bad = current;
          if (Segment.isNotMadeYet(e) || (bad != null && bad.isGone())) {
            continue;
          }
          if (bad == null || !SqliteFiles.isDamage(e)) {
            throw e;
          }
          if (segments.isEmpty()) {
            damaged.accept(bad); // the writer looks after the file that it writes
          } else {
            LogFiles.setAside(bad);
          }
        }
      }
    }

    private boolean openNext() throws IOException, SQLException {
      Segment next = segments.poll();
      current = next;
      if (next == null) {
        return false;
      }
      Connection fresh = segments.isEmpty() ? way.open(next.path()) : next.openWritten(way);
      connection = fresh;
      producers.clear();
      PreparedStatement statement = fresh.prepareStatement(BEHIND);
      statement.setLong(1, Math.max(position, olderThanSince(fresh)));
      rows = statement.executeQuery();
      return true;
    }

    private long olderThanSince(Connection file) throws SQLException {
      return query.since() == Long.MIN_VALUE ? 0 : FileIndex.olderThan(file, query.since());
    }

    private Row row(ResultSet rows) throws SQLException {
      AttributeCodec.Attributes attributes = AttributeCodec.read(rows.getBytes(6));
      return new Row(
          rows.getLong(1),
          new StoredEvent(
              producer(rows),
              new ShardEvent(
                  rows.getInt(3),
                  rows.getLong(4),
                  rows.getLong(5),
                  Buffer.buffer(rows.getBytes(7)),
                  attributes.key(),
                  attributes.id(),
                  attributes.headers())));
    }

    private ProducerId producer(ResultSet rows) throws SQLException {
      long number = rows.getLong(2);
      ProducerId known = producers.get(number);
      if (known == null) {
        known = new ProducerId(rows.getString(8), rows.getLong(9));
        producers.put(number, known);
      }
      return known;
    }

    void close() throws SQLException {
      Connection open = connection;
      connection = null;
      rows = null;
      if (open != null) {
        open.close();
      }
    }
  }
}
