package io.shardbus.sink.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.sink.log.LogSinkOptions.Synchronous;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SegmentTest {

  @TempDir Path dir;

  private static String pragma(Connection connection, String name) throws Exception {
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery("PRAGMA " + name)) {
      return result.getString(1);
    }
  }

  /** The kill tests cannot tell: only a loss of power shows what was not synced. */
  @Test
  void writersConnection_syncsAsConfigured() throws Exception {
    assertThat(new LogSinkOptions().getSynchronous()).isEqualTo(Synchronous.full);
    Map<Synchronous, String> levels =
        Map.of(Synchronous.full, "2", Synchronous.normal, "1", Synchronous.off, "0");
    for (Synchronous when : Synchronous.values()) {
      try (Connection connection = Segment.in(dir, 0, 1).openForWriting(when)) {
        assertThat(pragma(connection, "synchronous")).isEqualTo(levels.get(when));
        assertThat(pragma(connection, "journal_mode")).isEqualTo("wal");
        assertThat(pragma(connection, "page_size")).isEqualTo("8192");
      }
    }
  }
}
