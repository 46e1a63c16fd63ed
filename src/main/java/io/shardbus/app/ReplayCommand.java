package io.shardbus.app;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code shardbus replay}. */
@Command(
    name = "replay",
    description = "Hand dead letters to the bus again, list or delete them.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  shardbus replay --list           the events that the sink refused, and why",
      "  shardbus replay --list --json    the same with the events, one a line",
      "  shardbus replay 17 18            hand two of them to the bus again",
      "  shardbus replay --all",
      "  shardbus replay --delete 17      delete one",
      "",
      "Exit codes: 0 all delivered or deleted; 1 some were refused again, kept or",
      "unknown; 2 wrong usage."
    })
final class ReplayCommand implements Callable<Integer> {

  private static final int PAGE = 100;
  private static final String ROW = "%8s %6s %12s %9s  %-20s  %s%n";

  @Spec private CommandSpec spec;
  @Mixin private ServerUrl server;

  @Option(names = "--json", description = "As JSON, for scripts.")
  private boolean json;

  @Option(names = "--delete", description = "Delete them instead.")
  private boolean delete;

  @ArgGroup(multiplicity = "1")
  private Which which;

  /** Exactly one of them. */
  static final class Which {

    @Option(names = "--list", description = "List them all.")
    boolean list;

    @Option(names = "--all", description = "Replay (or delete) all of them.")
    boolean all;

    @Parameters(
        paramLabel = "ID",
        arity = "1..*",
        description = "Replay (or delete) those with these ids.")
    @Nullable List<Long> ids;
  }

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  ReplayCommand() {}

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    if (which.list) {
      if (delete) {
        throw new ParameterException(spec.commandLine(), "--delete: not together with --list");
      }
      list(out);
      return 0;
    }
    return delete ? delete(out) : replay(out);
  }

  private int delete(PrintWriter out) throws Exception {
    int removed = 0;
    int missing = 0;
    if (which.ids == null) {
      removed =
          ServerUrl.json(server.text(server.request("/v1/dead-letters").DELETE().build()))
              .getInteger("removed");
    } else {
      for (long id : Set.copyOf(which.ids)) {
        try {
          if (server.delete("/v1/dead-letters/" + id)) {
            removed++;
          } else {
            missing++;
          }
        } catch (IOException e) {
          throw new IOException(removed + " deleted, then: " + e.getMessage(), e);
        }
      }
    }
    out.println(
        json
            ? new JsonObject().put("removed", removed).put("missing", missing).encode()
            : removed + " deleted");
    requireNone(missing);
    return 0;
  }

  private int replay(PrintWriter out) throws Exception {
    JsonObject body = new JsonObject();
    if (which.ids != null) {
      body.put("ids", new JsonArray(which.ids));
    }
    JsonObject result = server.post("/v1/dead-letters/replay", body);
    int fate =
        result.getInteger("delivered")
            + result.getInteger("deadLettered")
            + result.getInteger("kept");
    int missing = which.ids == null ? 0 : Set.copyOf(which.ids).size() - fate;
    if (json) {
      out.println(result.put("missing", missing).encode());
    } else {
      out.println(
          result.getInteger("delivered")
              + " delivered, "
              + result.getInteger("deadLettered")
              + " refused again, "
              + result.getInteger("kept")
              + " kept for want of room");
    }
    requireNone(missing);
    return result.getInteger("delivered") == fate ? 0 : 1;
  }

  private static void requireNone(int missing) throws IOException {
    if (missing > 0) {
      throw new IOException("there is no dead letter for " + missing + " of the ids");
    }
  }

  private void list(PrintWriter out) throws Exception {
    long after = 0;
    JsonArray page;
    do {
      String uri = "/v1/dead-letters?limit=" + PAGE + "&after=" + after;
      page = server.get(uri).getJsonArray("deadLetters");
      if (after == 0 && !json) {
        out.print(
            page.isEmpty()
                ? "there are no dead letters" + System.lineSeparator()
                : String.format(
                    ROW, "id", "shard", "sequence", "attempts", "given up at", "cause"));
      }
      for (int i = 0; i < page.size(); i++) {
        JsonObject letter = page.getJsonObject(i);
        out.print(json ? letter.encode() + System.lineSeparator() : row(letter));
        after = letter.getLong("id");
      }
      out.flush();
    } while (!page.isEmpty()); // a page of large events has fewer
  }

  private static String row(JsonObject letter) {
    JsonObject event = letter.getJsonObject("of");
    return String.format(
        ROW,
        letter.getLong("id"),
        event.getInteger("shard"),
        event.getLong("sequence"),
        letter.getInteger("attempts"),
        Instant.parse(letter.getString("time")).truncatedTo(ChronoUnit.SECONDS),
        letter.getString("cause").replace('\n', ' '));
  }
}
