package io.shardbus.sink.log;

import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.support.PageBuilder;
import io.shardbus.sink.support.PositionCursor;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/*
 * Reads pages of the log. The files of each writer are one stream, in the order of commits, which within a shard is the
 * order of sequences. A cursor holds a position in each stream. The streams are merged by timestamp: the next event
 * always comes from the stream whose next event is the oldest, so no stream starves.
 */
final class LogReader {

  private LogReader() {}

  /**
   * @param unsound told of the newest file of a writer if SQLite finds damage in it
   */
  static EventPage read(
      LogFiles files, PositionCursor cursor, EventQuery query, Consumer<Segment> unsound)
      throws IOException, SQLException {
    return Opening.evenIfFull(
        Segment::openForReading,
        way -> read(files.segments(), files.damage(), cursor, query, unsound, way));
  }

  /**
   * @param segments by writer, and by position
   * @param way opens the newest file of a writer, and others that may be written
   */
  static EventPage read(
      List<Segment> segments,
      LogDamage damage,
      PositionCursor cursor,
      EventQuery query,
      Consumer<Segment> unsound,
      Opening.Way way)
      throws IOException, SQLException {
    Map<Integer, List<Segment>> byWriter =
        segments.stream()
            .collect(Collectors.groupingBy(Segment::writer, TreeMap::new, Collectors.toList()));
    TreeMap<String, Long> positions = new TreeMap<>(cursor.positions());
    PageBuilder page = new PageBuilder(query);
    PriorityQueue<LogStream> streams =
        new PriorityQueue<>(Comparator.comparingLong(stream -> stream.head().event().timestamp()));
    List<LogStream> opened = new ArrayList<>();
    try {
      for (Map.Entry<Integer, List<Segment>> entry : byWriter.entrySet()) {
        String name = Integer.toString(entry.getKey());
        long read = cursor.position(name);
        boolean begun = !cursor.isBeginning();
        if (begun) {
          page.missed(Math.max(0, entry.getValue().get(0).first() - 1 - read));
        }
        LogStream stream =
            new LogStream(name, entry.getValue(), read, begun, query, page, damage, unsound, way);
        opened.add(stream);
        advance(stream, streams, positions);
      }
      while (page.hasRoom()) {
        LogStream stream = streams.poll();
        if (stream == null) {
          break;
        }
        positions.put(stream.name(), stream.position());
        page.scan(stream.head());
        advance(stream, streams, positions);
      }
      for (LogStream stream : streams) { // the next page looks no further back
        positions.merge(stream.name(), stream.position() - 1, Math::max);
      }
    } finally {
      for (LogStream stream : opened) {
        stream.close();
      }
    }
    boolean more = !streams.isEmpty() || opened.stream().anyMatch(LogStream::isPaused);
    return page.page(new PositionCursor(positions).format(LogSink.NAME), more);
  }

  /** A stream without a next event may have passed over some. */
  private static void advance(
      LogStream stream, PriorityQueue<LogStream> streams, Map<String, Long> positions)
      throws IOException, SQLException {
    if (stream.advance()) {
      streams.add(stream);
    } else if (stream.position() > 0) {
      positions.merge(stream.name(), stream.position(), Math::max);
    }
  }
}
