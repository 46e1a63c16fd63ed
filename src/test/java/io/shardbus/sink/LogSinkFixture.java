package io.shardbus.sink;

import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** The log, and its files. */
abstract class LogSinkFixture extends SinkFixture {

  JsonObject config = new JsonObject().put("writers", 2);

  @Override
  ReplayableSink create() {
    return (ReplayableSink) Sinks.create(new SinkOptions("log").setConfig(config));
  }

  List<String> files(String suffix) throws Exception {
    try (var files = Files.list(dir.resolve("log"))) {
      return files
          .map(f -> f.getFileName().toString())
          .filter(n -> n.endsWith(suffix))
          .sorted()
          .toList();
    }
  }

  void writeMuch(int batches) throws Exception {
    await(writing(batches));
  }

  Future<?> writing(int batches) {
    List<Future<Void>> chains = new ArrayList<>();
    for (int shard = 0; shard < 2; shard++) {
      Future<Void> chain = Future.succeededFuture();
      for (int i = 0; i < batches; i++) {
        var next = batch(shard, i * 500, 500);
        chain = chain.compose(done -> sink.write(next));
      }
      chains.add(chain);
    }
    return Future.all(chains);
  }

  void age(String file) throws Exception {
    Instant old = Instant.now().minus(Duration.ofHours(2));
    Files.setLastModifiedTime(dir.resolve("log").resolve(file), FileTime.from(old));
  }
}
