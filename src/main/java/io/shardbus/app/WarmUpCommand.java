package io.shardbus.app;

import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
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
    PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
    Config config =
        Config.load(null, Map.of(), Map.of("gateway.port", 0, "bus.dataDir", data.toString()));
    Server server = Server.start(config, nowhere);
    try {
      for (String command :
          new String[] {
            "--help",
            "feed --generate 1000 --url URL",
            "feed --generate 1000 --via ws --url URL",
            "stats --url URL",
            "replay --list --url URL",
            "tail --from-start --count 10 --url URL",
            "top --once --url URL"
          }) {
        String[] words = command.replace("URL", server.url()).split(" ");
        if (Main.execute(nowhere, nowhere, words) != 0) {
          return 1;
        }
      }
    } finally {
      Server.await(server.gateway().close());
      Server.await(server.bus().close());
      Server.await(server.vertx().close());
    }
    return 0;
  }
}
