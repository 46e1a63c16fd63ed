package io.shardbus.app;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code shardbus scale}. */
@Command(
    name = "scale",
    description = "Add or remove shards of a server.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  shardbus scale up 2      add two shards",
      "  shardbus scale down 3    remove the shard with the id 3",
      "",
      "Exit codes: 0 done, 1 the server refused or does not answer, 2 wrong usage."
    })
final class ScaleCommand implements Runnable {

  @Spec private CommandSpec spec;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  ScaleCommand() {}

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "say up or down");
  }

  @Command(
      name = "up",
      description = "Add shards: all of them, or none.",
      mixinStandardHelpOptions = true)
  int up(
      @Mixin ServerUrl server,
      @Option(names = "--json", description = "As JSON, for scripts.") boolean json,
      @Parameters(paramLabel = "COUNT", description = "How many to add.") int count)
      throws Exception {
    if (count < 1) {
      throw new ConfigException("COUNT: " + count + " must be at least 1");
    }
    JsonObject answer = server.post("/v1/shards", new JsonObject().put("count", count));
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(answer.encode());
    } else {
      answer.getJsonArray("shards").forEach(id -> out.println("added shard " + id));
    }
    return 0;
  }

  @Command(
      name = "down",
      description = "Remove shards, each after it has delivered all it held.",
      mixinStandardHelpOptions = true)
  int down(
      @Mixin ServerUrl server,
      @Option(names = "--json", description = "As JSON, for scripts.") boolean json,
      @Parameters(paramLabel = "ID", arity = "1..*", description = "Ids of the shards to remove.")
          List<Integer> ids)
      throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    JsonArray removed = new JsonArray();
    try {
      for (int id : ids) {
        server.text(server.request("/v1/shards/" + id).DELETE().build());
        removed.add(id);
        if (!json) {
          out.println("removed shard " + id);
          out.flush();
        }
      }
    } finally {
      if (json && !removed.isEmpty()) {
        out.println(new JsonObject().put("shards", removed).encode());
      }
    }
    return 0;
  }
}
