package io.shardbus.testing;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.delivery.BatchOptions;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.DeliveryAck;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.SinkOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * A process to be killed: hands numbered events to a bus over the log in a folder, and prints the
 * number of each event that was acknowledged as delivered.
 */
public final class AckingProcess {

  /** Begins the line on standard error that says what was there when the bus had started. */
  public static final String FOUND = "found: ";

  private AckingProcess() {}

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get();
  }

  /** Reads all events and dead letters. */
  private static String look(ShardBus bus) throws Exception {
    int events = 0;
    String cursor = null;
    EventPage page;
    do {
      EventQuery query = EventQuery.of(cursor, 10_000);
      page = await(((ReplayableSink) bus.sink()).read(query));
      events += page.events().size();
      cursor = page.cursor();
    } while (page.more());
    int letters = await(bus.deadLetters().list(0, 1_000)).size();
    return events + " events, " + letters + " dead letters";
  }

  /** Starts one in a process of its own. */
  public static Process start(Path data, int round, Path acks, Path errors) throws IOException {
    return startWith(List.of(), data, round, acks, errors);
  }

  /** Starts one with a command before its own, such as one that sets limits. */
  public static Process startWith(List<String> before, Path data, int round, Path acks, Path errors)
      throws IOException {
    List<String> command = new ArrayList<>(before);
    command.addAll(
        Java.command(AckingProcess.class.getName(), data.toString(), Integer.toString(round)));
    return new ProcessBuilder(command)
        .redirectOutput(acks.toFile())
        .redirectError(errors.toFile())
        .start();
  }

  /** The numbers of the events that it was told were delivered. */
  public static Set<Integer> acknowledged(Path acks) throws IOException {
    return Files.readAllLines(acks).stream().map(Integer::valueOf).collect(Collectors.toSet());
  }

  public static void main(String[] args) throws Exception {
    String folder = args[0];
    int round = Integer.parseInt(args[1]);
    PrintStream out = new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out));
    ShardBusOptions options =
        new ShardBusOptions()
            .setShards(3)
            .setDataDir(folder)
            .setRingCapacity(1024)
            .setBatch(new BatchOptions().setMinSize(20).setMaxDelay(Duration.ofMillis(1)))
            .setSink(
                new SinkOptions("log")
                    .setConfig(new JsonObject().put("writers", 2).put("segmentBytes", 1 << 20)));
    ShardBus bus = await(ShardBus.start(Vertx.vertx(), options));
    System.err.println(FOUND + look(bus));
    for (int i = 0; ; i++) {
      int number = i;
      DeliveryAck ack =
          new DeliveryAck() {
            @Override
            public void delivered(int events) {
              out.println(number); // one write each: a killed process leaves no half of a buffer
            }

            @Override
            public void failed(Outcome failure, int events) {
              out.println("event " + number + " failed: " + failure);
            }
          };
      RawEvent event = RawEvent.of("{\"round\":" + round + ",\"n\":" + i + "}");
      while (!bus.ingest(event, ack).accepted()) {
        LockSupport.parkNanos(100_000);
      }
    }
  }
}
