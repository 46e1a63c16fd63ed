package io.shardbus.app;

import io.shardbus.event.Ack;
import io.shardbus.files.FileFault;
import io.shardbus.options.Counted;
import io.vertx.core.json.JsonObject;
import java.io.BufferedOutputStream;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code shardbus feed}. */
@Command(
    name = "feed",
    description =
        "Send events to a server: from a file of NDJSON, from standard input, or generated.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  shardbus feed --file events.ndjson.gz --key-path user.id",
      "  shardbus feed --generate 100000 --seed 1 --via ws --ack delivered",
      "  shardbus feed --generate 1000 --out sample.ndjson",
      "  my-program | shardbus feed --id-path id",
      "  shardbus tail --from-start --envelope |",
      "      shardbus feed --envelope --url http://other:8080",
      "",
      "Exit codes: 0 all acknowledged; 1 some were rejected, or their fate is unknown;",
      "2 wrong usage."
    })
final class FeedCommand implements Callable<Integer> {

  /** Lines with an event, its key, its id and its headers. */
  static final String ENVELOPES = "application/vnd.shardbus.events+ndjson";

  private static final String NDJSON = "application/x-ndjson";

  enum Via {
    http,
    ws
  }

  @Spec private CommandSpec spec;
  @Mixin private ServerUrl server;

  @Option(
      names = "--file",
      paramLabel = "FILE",
      description = "Read NDJSON from this file, also .gz.")
  private @Nullable Path file;

  @Option(
      names = "--generate",
      paramLabel = "N",
      description = "Generate N orders and clicks, each with an id and the user's id as its key.")
  private @Nullable Long generate;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "Generate the same events, with the same ids, as before with this seed.")
  private @Nullable Long seed;

  @Option(
      names = "--strange",
      description = "Generate events that are hard to handle instead, without keys and ids.")
  private boolean strange;

  @Option(names = "--out", paramLabel = "FILE", description = "Write the events to a file instead.")
  private @Nullable Path out;

  @Option(
      names = "--via",
      description = "How to send: ${COMPLETION-CANDIDATES} (${DEFAULT-VALUE}).")
  private Via via = Via.http;

  @Option(names = "--ack", description = "When to answer: accepted, delivered (${DEFAULT-VALUE}).")
  private Ack ack = Ack.ACCEPTED;

  @Option(
      names = "--connections",
      paramLabel = "N",
      description = "Connections in parallel (${DEFAULT-VALUE}). Only one keeps the order.")
  private int connections = 1;

  @Option(names = "--rate", paramLabel = "N", description = "Events per second at most.")
  private @Nullable Double rate;

  @Option(
      names = "--key-path",
      paramLabel = "PATH",
      description = "Path of the key in each event, such as user.id, tags[0] or ['service.name'].")
  private @Nullable String keyPath;

  @Option(
      names = "--id-path",
      paramLabel = "PATH",
      description = "Path of the id in each event. The server takes an id once in a while.")
  private @Nullable String idPath;

  @Option(
      names = "--envelope",
      description = "The lines have events with their keys, ids and headers, as tail writes them.")
  private boolean envelope;

  @Option(names = "--json", description = "The summary as JSON, for scripts.")
  private boolean json;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  FeedCommand() {}

  @Override
  public Integer call() throws Exception {
    if (file != null && generate != null) {
      throw new ConfigException("--file and --generate: only one of them can be given");
    }
    if (ack == Ack.NONE) {
      throw new ConfigException("--ack: none must be accepted or delivered");
    }
    if (connections < 1 || connections > 1000) {
      throw new ConfigException("--connections: " + connections + " must be 1 to 1000");
    }
    if (rate != null && !(rate > 0)) {
      throw new ConfigException("--rate: " + rate + " must be above 0");
    }
    if (generate != null && generate < 0) {
      throw new ConfigException("--generate: " + generate + " must be at least 0");
    }
    if (generate == null && (strange || seed != null)) {
      throw new ConfigException("--strange, --seed: only together with --generate");
    }
    if (envelope && (via == Via.ws || generate != null || keyPath != null || idPath != null)) {
      throw new ConfigException(
          "--envelope: not together with --via ws, --generate, --key-path or --id-path");
    }
    if (generate != null && !strange) {
      keyPath = keyPath == null ? "user.id" : keyPath;
      idPath = idPath == null ? "id" : idPath;
    }
    try (InputStream input = input()) {
      Lines lines = lines(input);
      return out != null ? write(lines, out) : send(lines);
    }
  }

  private InputStream input() throws IOException {
    if (generate != null) {
      return InputStream.nullInputStream();
    }
    if (file == null) {
      if (!json && Terminal.is(0)) {
        spec.commandLine()
            .getErr()
            .println("reading events from standard input, one JSON value a line; Ctrl-D ends");
      }
      return System.in;
    }
    if (!Files.exists(file)) {
      throw new ConfigException("--file: " + file + ": there is no such file");
    }
    try {
      InputStream raw =
          new FileInputStream(file.toFile()); // knows the available bytes, also of pipes
      return file.toString().endsWith(".gz") ? new GZIPInputStream(raw, 1 << 16) : raw;
    } catch (FileNotFoundException e) {
      throw new IOException(
          "--file: " + e.getMessage(), e); // the message names the file, and the reason
    } catch (IOException e) {
      throw ByteLines.unreadable("--file: " + file, e);
    }
  }

  private Lines lines(InputStream input) {
    Long count = generate;
    if (count != null) {
      // Not the same ids as the last time, which the server would take for repetitions.
      long chosen = seed == null ? System.currentTimeMillis() : seed;
      Supplier<String> generator =
          strange ? new EventGenerator(chosen)::next : new ShopEvents(chosen)::next;
      long[] left = {count};
      return () -> left[0]-- > 0 ? generator.get().getBytes(StandardCharsets.UTF_8) : null;
    }
    return new ByteLines(file == null ? "standard input" : "--file: " + file, input);
  }

  private static int write(Lines lines, Path to) throws IOException {
    try (OutputStream file = new BufferedOutputStream(Files.newOutputStream(to))) {
      for (byte[] line = lines.next(); line != null; line = lines.next()) {
        file.write(line);
        file.write('\n');
      }
    } catch (NoSuchFileException e) {
      throw new ConfigException("--out: there is no folder for " + to);
    } catch (FileSystemException e) {
      throw new ConfigException(
          Failures.describe(FileFault.of("--out: " + to + " cannot be written", e)));
    }
    return 0;
  }

  private int send(Lines lines) throws Exception {
    String query = "?ack=" + ack + parameter("keyPath", keyPath) + parameter("idPath", idPath);
    Feed feed = new Feed(server, lines, query, envelope ? ENVELOPES : NDJSON, via == Via.ws, rate);
    PrintWriter err = spec.commandLine().getErr();
    boolean watched = !json && Terminal.is(2);
    Thread onExit = new Thread(() -> report(feed.summary(), watched), "summary");
    Runtime.getRuntime().addShutdownHook(onExit);
    Exception failure = null;
    try {
      feed.run(
          connections,
          line -> {
            if (watched) {
              err.print("\r" + line);
              err.flush();
            }
          });
    } catch (IOException | ConfigException e) {
      failure = e; // reported after the summary
    }
    if (!forget(onExit)) {
      return 1; // it is being ended, and reported
    }
    JsonObject summary = feed.summary();
    report(summary, watched);
    if (failure != null) {
      throw failure;
    }
    return summary.getLong("acked").equals(summary.getLong("sent")) ? 0 : 1;
  }

  private static String parameter(String name, @Nullable String value) {
    return value == null ? "" : "&" + name + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8);
  }

  private static boolean forget(Thread onExit) {
    try {
      return Runtime.getRuntime().removeShutdownHook(onExit);
    } catch (IllegalStateException e) {
      return false;
    }
  }

  private void report(JsonObject summary, boolean watched) {
    PrintWriter stdout = spec.commandLine().getOut();
    if (json) {
      stdout.println(summary.encode());
    } else {
      if (watched) {
        spec.commandLine().getErr().println();
      }
      stdout.println(
          Counted.of(summary.getLong("sent"), "event")
              + " sent, "
              + summary.getLong("acked")
              + " "
              + ack
              + (summary.getLong("duplicates") > 0
                  ? " (" + summary.getLong("duplicates") + " before)"
                  : "")
              + ", "
              + summary.getLong("rejected")
              + " rejected, "
              + summary.getLong("unknown")
              + " unknown, in "
              + summary.getDouble("seconds")
              + " s: "
              + summary.getLong("eventsPerSecond")
              + " events/s");
      summary.getJsonArray("errors").forEach(e -> stdout.println("  " + e));
    }
    stdout.flush();
  }
}
