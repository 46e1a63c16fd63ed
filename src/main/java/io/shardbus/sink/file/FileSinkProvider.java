package io.shardbus.sink.file;

import io.shardbus.files.FolderLock;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkProvider;
import io.vertx.core.json.JsonObject;

/** Makes file sinks. */
public final class FileSinkProvider implements SinkProvider {

  /** For the service loader. */
  public FileSinkProvider() {}

  @Override
  public String name() {
    return FileSinkOptions.SINK_NAME;
  }

  @Override
  public Sink create(JsonObject config) {
    FileSinkOptions options = new FileSinkOptions(config);
    FolderLock.check(options.getDir(), "dir");
    return new FileSink(options);
  }
}
