package io.shardbus.sink.log;

import io.shardbus.files.FolderLock;
import io.shardbus.files.SqliteFiles;
import io.shardbus.options.OptionalLibrary;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkProvider;
import io.vertx.core.json.JsonObject;

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
    FolderLock.check(options.getDir(), "dir");
    return new LogSink(options);
  }
}
