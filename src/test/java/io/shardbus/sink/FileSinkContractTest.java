package io.shardbus.sink;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;

/** The contract of all sinks, over the lines in the files. */
@Tag("once")
class FileSinkContractTest extends SinkContract {

  private ReplayableSink memory;

  /** How many lines of each file are in memory. */
  private final Map<String, Integer> read = new TreeMap<>();

  @Override
  ReplayableSink create() {
    memory = ReadElsewhere.memory();
    read.clear();
    Sink file =
        Sinks.create(
            new SinkOptions("file")
                .setConfig(
                    new JsonObject()
                        .put("dir", dir.resolve("e").toString())
                        .put("maxBytes", 100_000)));
    return new ReadElsewhere(file, memory, this::bringInWhatIsNew);
  }

  private synchronized Future<Void> bringInWhatIsNew() {
    List<Future<Void>> kept = new ArrayList<>();
    try (Stream<Path> files = Files.list(dir.resolve("e"))) {
      for (Path path : files.filter(f -> f.toString().contains(".ndjson")).sorted().toList()) {
        String begun = path.getFileName().toString().replaceAll("\\..*", "");
        List<String> lines = Files.readAllLines(path);
        lines.stream()
            .skip(read.getOrDefault(begun, 0))
            .forEach(line -> kept.add(memory.write(ReadElsewhere.batch(Buffer.buffer(line)))));
        read.put(begun, lines.size());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Future.all(kept).mapEmpty();
  }

  /** The wrapper tells of an append only when it is asked to read. */
  @Override
  void listener_isToldOfNewEvents() {}

  @Override
  boolean durable() {
    return false;
  }

  @Override
  boolean seeksTimes() {
    return false;
  }
}
