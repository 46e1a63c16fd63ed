package io.shardbus.app;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code shardbus top}. */
@Command(
    name = "top",
    description = "Show a server's shards as they change. q or Ctrl-C ends.",
    mixinStandardHelpOptions = true,
    footer = {"", "Examples:", "  shardbus top", "  shardbus top --once --json"})
final class TopCommand implements Callable<Integer> {

  /** The time between the two readings for rates, with --once. */
  private static final long ONCE_MILLIS = 500;

  private static final long REFRESH_MILLIS = 1000;
  private static final int FALLBACK_COLUMNS = 80;
  private static final int FALLBACK_LINES = 24;

  @Spec private CommandSpec spec;
  @Mixin private ServerUrl server;

  @Option(names = "--once", description = "Print it once and end, for scripts.")
  private boolean once;

  @Option(names = "--json", description = "With --once: as JSON, for scripts.")
  private boolean json;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  TopCommand() {}

  @Override
  public Integer call() throws Exception {
    if (json && !once) {
      throw new ConfigException("--json: only with --once");
    }
    if (!once && !Terminal.is(1)) {
      throw new ConfigException("top: standard output is not a terminal; use --once");
    }
    PrintWriter out = spec.commandLine().getOut();
    TopView.Look first = look();
    if (once) {
      TimeUnit.MILLISECONDS.sleep(ONCE_MILLIS);
      if (json) {
        out.println(TopView.json(first, look()).encode());
      } else {
        TopView view = new TopView(Integer.MAX_VALUE, Integer.MAX_VALUE);
        view.lines(first, look()).forEach(out::println);
      }
      out.flush();
      return 0;
    }
    try (Terminal terminal = Terminal.open(out)) {
      follow(terminal, first);
    }
    return 0;
  }

  private void follow(Terminal terminal, TopView.Look first) throws Exception {
    TopView.Look before = first;
    do {
      TopView.Look now = lookOrNull();
      if (now == null) {
        terminal.draw(List.of("the server does not answer, trying again"));
      } else {
        // The window may have another size by now.
        TopView view =
            new TopView(terminal.columns(FALLBACK_COLUMNS), terminal.lines(FALLBACK_LINES));
        terminal.draw(view.lines(before, now));
        before = now;
      }
    } while (!terminal.gone() && !terminal.quitWithin(REFRESH_MILLIS));
  }

  private TopView.@Nullable Look lookOrNull() throws InterruptedException {
    try {
      return look();
    } catch (IOException e) {
      return null;
    }
  }

  private TopView.Look look() throws IOException, InterruptedException {
    return new TopView.Look(System.nanoTime(), server.get("/v1/stats"), server.get("/v1/shards"));
  }
}
