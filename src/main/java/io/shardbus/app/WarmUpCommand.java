package io.shardbus.app;

import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * {@code shardbus warm-up}: uses a server and the commands for it once, so that the launcher can
 * archive the classes that they need.
 */
@Command(name = "warm-up", hidden = true)
final class WarmUpCommand implements Callable<Integer> {

  @Override
  public Integer call() throws Exception {
    Path data = Files.createTempDirectory("shardbus");
    try {
      return use(data);
    } finally {
      try (Stream<Path> files = Files.walk(data)) {
        for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(each);
        }
      }
    }
  }

  private int use(Path data) throws Exception {
    Config config =
        Config.load(null, Map.of(), Map.of("gateway.port", 0, "bus.dataDir", data.toString()));
    Server server = Server.start(config, new PrintWriter(Writer.nullWriter()));
    try {
      String url = " --url " + server.url();
      for (int code :
          new int[] {
            run(FeedCommand.class, "--help"),
            run(FeedCommand.class, "--generate 1000" + url),
            run(FeedCommand.class, "--generate 1000 --via ws" + url),
            run(StatsCommand.class, url),
            run(ReplayCommand.class, "--list" + url),
            run(TailCommand.class, "--from-start --count 10" + url),
            run(TopCommand.class, "--once" + url)
          }) {
        if (code != 0) {
          return code;
        }
      }
    } finally {
      Server.await(server.gateway().close());
      Server.await(server.bus().close());
      Server.await(server.vertx().close());
    }
    return 0;
  }

  private static int run(Class<?> command, String words) {
    PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
    return new CommandLine(command)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setOut(nowhere)
        .setErr(nowhere)
        .execute(words.strip().split(" "));
  }
}
