package io.shardbus.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SqliteFilesTest {

  @TempDir Path folder;

  /**
   * SQLite deletes the write-ahead log beside a database that is made anew, with what was committed
   * to it. A name that gets too long stands for a kill.
   */
  @Test
  void setAside_neverLeavesTheLogBehind() throws Exception {
    Path database = Files.createFile(folder.resolve("d".repeat(244)));
    Path log = Files.createFile(SqliteFiles.of(database).get(1));
    assertThatThrownBy(() -> SqliteFiles.setAside(database)).isInstanceOf(IOException.class);
    assertThat(log).exists();
    assertThat(database).exists();
  }
}
