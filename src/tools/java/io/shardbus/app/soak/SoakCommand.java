package io.shardbus.app.soak;

import io.shardbus.app.ConfigException;
import io.shardbus.app.Tool;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code shardbus soak}. */
@Command(
    name = "soak",
    description = {
      "Stress a bus on this machine and check every promise: producers of all kinds, shards that"
          + " come and go, killed verticles, a sink that is slow, hangs, fails and throws, calls"
          + " of the engine, early closes, in all backpressure modes. Ends at the first broken"
          + " promise."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Each round has a seed that decides what happens. The first seed is printed,",
      "and --seed N --rounds 1 repeats the decisions of round N.",
      "",
      "Exit codes: 0 all promises kept, 1 a promise broken."
    })
public final class SoakCommand implements Tool {

  @Spec private CommandSpec spec;

  @Option(
      names = "--minutes",
      paramLabel = "N",
      defaultValue = "1",
      description = "Begin no further round after N minutes (default: ${DEFAULT-VALUE}).")
  private double minutes;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "1000000",
      description = "End after N rounds of 1,000,000 events (default: ${DEFAULT-VALUE}).")
  private long rounds;

  @Option(names = "--seed", paramLabel = "N", description = "Seed of the first round.")
  private @Nullable Long seed;

  @Option(
      names = "--json",
      description =
          "For scripts: a JSON object for each round, and one for the whole run, one a line.")
  private boolean json;

  /** For picocli. */
  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  public SoakCommand() {}

  @Override
  public Integer call() throws Exception {
    if (!(minutes >= 0) || minutes > 1e6) {
      throw new ConfigException("--minutes: " + minutes + " must be 0 to 1,000,000");
    }
    if (rounds < 1) {
      throw new ConfigException("--rounds: " + rounds + " must be at least 1");
    }
    if (System.getenv("SHARDBUS_LOG_LEVEL") == null) {
      System.setProperty("SHARDBUS_LOG_LEVEL", "OFF"); // failing is what the sink is for
    }
    long first = seed == null ? new Random().nextInt(1_000_000) : seed;
    PrintWriter out = spec.commandLine().getOut();
    if (!json) {
      out.println("first seed " + first);
    }
    Duration time = Duration.ofMillis((long) (minutes * 60_000));
    return new Soak(first, out, json).run(time, rounds) ? 0 : 1;
  }
}
