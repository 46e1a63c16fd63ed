package io.shardbus.app;

import io.shardbus.options.Counted;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.log.LogFolder;
import io.shardbus.sink.support.EventJson;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code shardbus log}. */
@Command(
    name = "log",
    description = "Check or export the folder of a log, without its server or beside it.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Examples:",
      "  shardbus log check data/log",
      "  shardbus log export data/log | gzip > events.ndjson.gz",
      "  shardbus log export --since -1h data/log |",
      "      shardbus feed --envelope --url http://other:8080",
      "",
      "The folder stays as it is. If its server runs, the commands read what is there",
      "now. If not, they keep a server from starting until they end.",
      "",
      "Exit codes: 0 good; 1 damage was found, or the folder cannot be read; 2 wrong",
      "usage, or no log in the folder."
    })
final class LogCommand {

  private static final int PAGE = 1_000;
  private static final int MAX_SHARD = 65_534;

  @Spec private CommandSpec spec;

  /** Whether damage was told. */
  private boolean damaged;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  LogCommand() {}

  @Command(
      name = "check",
      description = "Read all events and look for damage. Says which files and positions.",
      mixinStandardHelpOptions = true)
  int check(@Parameters(paramLabel = "DIR", description = "The folder of the log.") Path dir)
      throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    try (LogFolder folder = open(dir, out)) {
      long events = folder.check();
      out.println(
          (damaged ? "damaged: " : "good: ")
              + Counted.of(events, "event")
              + " of "
              + dir
              + " can be read");
      return damaged ? 1 : 0;
    }
  }

  @Command(
      name = "export",
      description = "Write all events that can be read, as lines for feed --envelope.",
      mixinStandardHelpOptions = true)
  int export(
      @Parameters(paramLabel = "DIR", description = "The folder of the log.") Path dir,
      @Option(
              names = "--since",
              paramLabel = "T",
              description = "Only events of this time or younger: RFC 3339, or such as -15m.")
          @Nullable String since,
      @Option(
              names = "--until",
              paramLabel = "T",
              description = "Only events older than this time.")
          @Nullable String until,
      @Option(names = "--key", paramLabel = "K", description = "Only events with this key.")
          @Nullable String key,
      @Option(names = "--shard", paramLabel = "ID", description = "Only events of this shard.")
          @Nullable Integer shard)
      throws IOException {
    if (shard != null && (shard < 0 || shard > MAX_SHARD)) {
      throw new ConfigException("--shard: " + shard + " must be 0 to " + MAX_SHARD);
    }
    EventQuery query = EventQuery.of(null, PAGE).withKey(key).withShard(shard);
    query = since == null ? query : query.withSince(time("--since", since));
    query = until == null ? query : query.withUntil(time("--until", until));
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    try (LogFolder folder = open(dir, err)) {
      if (folder.isInUse() && until == null) {
        query = query.withUntil(EventQuery.time("-0s")); // more may come as fast as it is read
      }
      EventPage page;
      do {
        page = folder.read(query);
        out.print(lines(page));
        if (out.checkError()) {
          throw new IOException("not all events were written: standard output is closed or full");
        }
        if (page.missed() > 0) {
          err.println(TailCommand.MISSED + page.missed());
        }
        query = query.withCursor(page.cursor());
      } while (page.more());
      return damaged ? 1 : 0;
    }
  }

  private static long time(String option, String text) {
    try {
      return EventQuery.time(text);
    } catch (IllegalArgumentException e) {
      throw new ConfigException(option + ": " + e.getMessage());
    }
  }

  private static String lines(EventPage page) {
    Buffer lines = Buffer.buffer();
    for (StoredEvent stored : page.events()) {
      EventJson.appendLine(lines, stored);
      lines.appendString("\n");
    }
    return lines.toString();
  }

  private LogFolder open(Path dir, PrintWriter report) throws IOException {
    Consumer<String> tell =
        place -> {
          damaged = true;
          report.println(place);
          report.flush();
        };
    try {
      return LogFolder.open(dir, tell);
    } catch (IllegalArgumentException e) {
      throw new ConfigException(Failures.describe(e));
    }
  }
}
