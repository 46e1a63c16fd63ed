package io.shardbus.sink;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE;

import io.shardbus.sink.eventbus.EventBusConsumer;
import io.shardbus.sink.eventbus.EventBusSinkOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A consumer of the sink eventbus that writes the events into a file; also as a program. */
final class FaultyConsumer {

  private FaultyConsumer() {}

  static Future<EventBusConsumer> start(Vertx vertx, Path file) {
    return EventBusConsumer.start(
        vertx,
        EventBusSinkOptions.DEFAULT_ADDRESS,
        10,
        batch -> {
          try {
            long now = System.currentTimeMillis();
            String lines =
                batch.events().stream()
                    .map(event -> now + " " + event.payload() + "\n")
                    .collect(Collectors.joining());
            try (FileChannel out = FileChannel.open(file, CREATE, APPEND)) {
              out.write(ByteBuffer.wrap(lines.getBytes(UTF_8))); // at once: it may be killed
            }
            return Future.succeededFuture();
          } catch (IOException e) {
            return Future.failedFuture(e);
          }
        });
  }

  /** What the consumers of a folder have written, by time. */
  static List<String> read(Path folder) throws IOException {
    List<String> lines = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        lines.addAll(Files.readAllLines(file));
      }
    }
    return lines.stream()
        .map(line -> line.split(" ", 2))
        .sorted(Comparator.comparing(parts -> Long.valueOf(parts[0])))
        .map(parts -> parts[1])
        .toList();
  }

  /** Listens at a port when it is ready. */
  public static void main(String[] args) throws Exception {
    Vertx vertx = ClusteredNode.start(args[0], Integer.parseInt(args[1]));
    start(vertx, Path.of(args[2]))
        .toCompletionStage()
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS);
    ServerSocket ready =
        new ServerSocket(Integer.parseInt(args[3]), 1, InetAddress.getLoopbackAddress());
    System.in.transferTo(OutputStream.nullOutputStream()); // until the tests end, however they do
    ready.close();
    System.exit(0);
  }
}
