package io.shardbus.sink.log;

import io.shardbus.files.FolderLock;
import io.shardbus.files.SqliteFiles;
import io.shardbus.options.OptionalLibrary;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkProvider;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;

/** Makes log sinks. */
public final class LogSinkProvider implements SinkProvider {

  /** For the service loader. */
  public LogSinkProvider() {}

  @Override
  public String name() {
    return LogSink.NAME;
  }

  @Override
  public Sink create(JsonObject config) {
    OptionalLibrary.require(SqliteFiles.DRIVER, SqliteFiles.LIBRARY);
    LogSinkOptions options = new LogSinkOptions(config);
    String dir = options.getDir();
    try {
      if (dir != null) {
        FolderLock.check(Path.of(dir), "dir");
      }
    } catch (IOException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    return new LogSink(options);
  }
}
