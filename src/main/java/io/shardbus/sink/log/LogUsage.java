package io.shardbus.sink.log;

import io.shardbus.sink.Storage;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** What the log takes on the disk, and from when to when it reaches. For one thread at a time. */
final class LogUsage {

  private static final String OLDEST =
      "SELECT newest - span FROM blocks WHERE %s ORDER BY last LIMIT 1";
  private static final String NEWEST =
      "SELECT newest FROM blocks WHERE %s ORDER BY last DESC LIMIT 1";

  /** The times of first events, which never change. */
  private Map<Segment, Long> begins = Map.of();

  /** Reads the first and the last block of each writer. */
  Storage look(LogFiles files) throws IOException, SQLException {
    long bytes = 0;
    Map<Segment, Long> known = new HashMap<>();
    List<Long> oldest = new ArrayList<>();
    List<Long> newest = new ArrayList<>();
    Map<Integer, List<Segment>> byWriter =
        files.segments().stream().collect(Collectors.groupingBy(Segment::writer));
    for (List<Segment> segments : byWriter.values()) {
      for (Segment segment : segments) {
        bytes += segment.bytes();
      }
      for (Segment segment : segments) {
        Long begin = begins.get(segment);
        Optional<Long> time = begin != null ? Optional.of(begin) : time(segment, OLDEST);
        if (time.isPresent()) {
          known.put(segment, time.get());
          oldest.add(time.get());
          break;
        }
      }
      for (int i = segments.size() - 1; i >= 0; i--) {
        Optional<Long> time = time(segments.get(i), NEWEST);
        if (time.isPresent()) {
          newest.add(time.get());
          break;
        }
      }
    }
    begins = known;
    return new Storage(
        bytes,
        oldest.isEmpty() ? null : Collections.min(oldest),
        newest.isEmpty() ? null : Collections.max(newest),
        files.freeBytes());
  }

  /** Nothing if the file has no events, or is damaged or gone. */
  private static Optional<Long> time(Segment segment, String sql) throws IOException, SQLException {
    return Opening.evenIfFull(
        Segment::openForReading,
        way -> {
          try (Connection connection = way.open(segment.path());
              Statement statement = connection.createStatement();
              ResultSet row =
                  statement.executeQuery(sql.formatted(Tables.soundBlock(segment.number())))) {
            return row.next() ? Optional.of(row.getLong(1)) : Optional.empty();
          } catch (SQLException e) {
            if (Segment.isDamage(e) || Segment.isNotMadeYet(e) || segment.isGone()) {
              return Optional.empty();
            }
            throw e;
          }
        });
  }
}
