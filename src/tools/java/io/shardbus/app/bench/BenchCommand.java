package io.shardbus.app.bench;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.app.ConfigException;
import io.shardbus.app.Terminal;
import io.shardbus.app.Tool;
import io.shardbus.options.Counted;
import io.shardbus.shard.ShardAccounting;
import io.shardbus.sink.SinkOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code shardbus bench}. */
@Command(
    name = "bench",
    description = {
      "Measure on this machine how many events a bus takes in and delivers, and how long a call"
          + " takes. Producers are threads of this process that hand events over as fast as the"
          + " bus takes them."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "To measure a server with its network, use feed --generate.",
      "",
      "Examples:",
      "  shardbus bench",
      "  shardbus bench --producers 4 --shards 4 --bytes 1000 --batch 256",
      "  shardbus bench --sink log --data /tmp/bench --json"
    })
public final class BenchCommand implements Tool {

  private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();
  private static final double MOST_WARM_UP_SECONDS = 3;
  private static final long PROGRESS_NANOS = 500_000_000;

  @Spec private CommandSpec spec;

  @Option(
      names = "--seconds",
      paramLabel = "N",
      description =
          "How long to measure (${DEFAULT-VALUE}), after a warm-up of the same length, 3 at most.")
  private double seconds = 5;

  @Option(
      names = "--producers",
      paramLabel = "N",
      description = "Threads that hand over events (${DEFAULT-VALUE}).")
  private int producers = Math.max(1, PROCESSORS / 2);

  @Option(names = "--shards", paramLabel = "N", description = "Shards (${DEFAULT-VALUE}).")
  private int shards = PROCESSORS;

  @Option(
      names = "--bytes",
      paramLabel = "N",
      description = "Size of an event, in bytes (${DEFAULT-VALUE}).")
  private int bytes = 128;

  @Option(names = "--batch", paramLabel = "N", description = "Events per call (${DEFAULT-VALUE}).")
  private int batch = 1;

  @Option(names = "--sink", paramLabel = "NAME", description = "Sink (${DEFAULT-VALUE}).")
  private String sink = "noop";

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Folder for the log. It is not deleted afterwards.")
  private @Nullable String data;

  @Option(names = "--json", description = "The result as JSON, for scripts.")
  private boolean json;

  /** For picocli. */
  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  public BenchCommand() {}

  @Override
  public Integer call() throws Exception {
    if (!(seconds >= 0.1 && seconds <= 86_400)) {
      throw new ConfigException("--seconds: " + seconds + " must be 0.1 to 86,400");
    }
    require("--producers", producers, 1_000);
    require("--shards", shards, 65_535);
    require("--bytes", bytes, 16 << 20);
    require("--batch", batch, 65_536);
    ShardBusOptions options =
        new ShardBusOptions().setShards(shards).setSink(new SinkOptions(sink));
    if (data != null) {
      options.setDataDir(data);
    }
    Vertx vertx = Vertx.vertx();
    try {
      ShardBus bus = await(ShardBus.start(vertx, options));
      return measure(bus) ? 0 : 1;
    } catch (IllegalArgumentException e) {
      // for example an unknown sink
      throw new ConfigException(String.valueOf(e.getMessage()));
    } finally {
      await(vertx.close());
    }
  }

  private static <T> T await(Future<T> future) throws Exception {
    try {
      return future.toCompletionStage().toCompletableFuture().get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    }
  }

  private static void require(String option, int value, int most) {
    if (value < 1 || value > most) {
      throw new ConfigException(String.format("%s: %d must be 1 to %d", option, value, most));
    }
  }

  private boolean measure(ShardBus bus) throws Exception {
    BenchProducers load = new BenchProducers(bus, producers, bytes, batch);
    BenchDeliveries deliveries = new BenchDeliveries(bus.shards()::nanoTime);
    wait("warming up", Math.min(seconds, MOST_WARM_UP_SECONDS), bus);
    load.startTiming();
    bus.observe(deliveries);
    long before = bus.stats().total().delivered();
    long begun = System.nanoTime();
    wait("measuring", seconds, bus);
    double eventsPerSecond =
        (bus.stats().total().delivered() - before) / ((System.nanoTime() - begun) / 1e9);
    Histogram nanos = load.stop();
    await(bus.close());
    ShardAccounting account = bus.stats().total();
    report(eventsPerSecond, nanos, deliveries.nanos(), account);
    boolean addsUp =
        account.accepted() == load.accepted() && account.delivered() == account.accepted();
    if (!addsUp) {
      PrintWriter err = spec.commandLine().getErr();
      err.println("shardbus: " + load.accepted() + " events were accepted, but " + account);
      err.flush();
    }
    return addsUp;
  }

  /** Shows how far it is, where a person sees it. */
  private void wait(String what, double seconds, ShardBus bus) throws InterruptedException {
    PrintWriter err = spec.commandLine().getErr();
    boolean watched = !json && Terminal.is(2);
    long end = System.nanoTime() + (long) (seconds * 1e9);
    for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
      if (watched) {
        err.printf(
            Locale.ROOT,
            "\r%s, %.0f s left, %,d events delivered   ",
            what,
            Math.ceil(left / 1e9),
            bus.stats().total().delivered());
        err.flush();
      }
      TimeUnit.NANOSECONDS.sleep(Math.min(left, PROGRESS_NANOS));
    }
    if (watched) {
      err.print("\r\033[K");
      err.flush();
    }
  }

  private static JsonObject percentiles(Histogram nanos) {
    return new JsonObject()
        .put("p50", nanos.getValueAtPercentile(50))
        .put("p99", nanos.getValueAtPercentile(99))
        .put("p99.9", nanos.getValueAtPercentile(99.9))
        .put("max", nanos.getMaxValue());
  }

  private static String text(Histogram nanos) {
    return String.format(
        Locale.ROOT,
        "p50 %,.2f us, p99 %,.2f us, p99.9 %,.2f us, at most %,.0f us",
        nanos.getValueAtPercentile(50) / 1e3,
        nanos.getValueAtPercentile(99) / 1e3,
        nanos.getValueAtPercentile(99.9) / 1e3,
        nanos.getMaxValue() / 1e3);
  }

  private void report(
      double eventsPerSecond, Histogram nanos, Histogram delivery, ShardAccounting account) {
    PrintWriter out = spec.commandLine().getOut();
    String machine =
        PROCESSORS
            + " processors, Java "
            + Runtime.version()
            + ", "
            + System.getProperty("os.arch");
    if (json) {
      JsonObject result =
          new JsonObject()
              .put("machine", machine)
              .put("sink", sink)
              .put("producers", producers)
              .put("shards", shards)
              .put("bytes", bytes)
              .put("batch", batch)
              .put("seconds", seconds)
              .put("eventsPerSecond", Math.round(eventsPerSecond))
              .put("bytesPerSecond", Math.round(eventsPerSecond * bytes))
              .put("ingestNanos", percentiles(nanos))
              .put("deliveryNanos", percentiles(delivery))
              .put("accepted", account.accepted())
              .put("refused", account.backpressure())
              .put("delivered", account.delivered());
      out.println(result.encode());
    } else {
      out.printf(
          Locale.ROOT,
          "%,.0f events/s, %,.1f MB/s: %s, %s, %d B, %d a call, sink %s%n",
          eventsPerSecond,
          eventsPerSecond * bytes / 1e6,
          Counted.of(producers, "producer"),
          Counted.of(shards, "shard"),
          bytes,
          batch,
          sink);
      out.println("a call takes " + text(nanos));
      out.println("from the call to the sink's answer: " + text(delivery));
      out.println(machine);
    }
    out.flush();
  }
}
