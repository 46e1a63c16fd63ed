package io.shardbus.sink.file;

import io.shardbus.files.FolderLock;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkProvider;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;

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
    String dir = options.getDir();
    try {
      if (dir != null) {
        FolderLock.check(Path.of(dir), "dir");
      }
    } catch (IOException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    return new FileSink(options);
  }
}
