package io.shardbus.app;

import java.io.IOException;
import java.io.PrintWriter;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.StringJoiner;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code shardbus tail}. */
@Command(
    name = "tail",
    description = "Print a server's events as they are written, one JSON object a line.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  shardbus tail --from-start --count 10",
      "  shardbus tail --filter \"@.user == 'u1' && @.n > 5\"",
      "  shardbus tail --from-start --filter '$key == \"u1\" && $time > \"2026-11-30T09\"'",
      "",
      "Exit codes: 0 N events seen, or the reader has gone; 1 the server ended it; 2 wrong"
          + " usage."
    })
final class TailCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;
  @Mixin private ServerUrl server;

  @Option(names = "--from-start", description = "Begin with the oldest event, not with the next.")
  private boolean fromStart;

  @Option(names = "--cursor", paramLabel = "C", description = "Go on after this cursor.")
  private @Nullable String cursor;

  @Option(
      names = "--filter",
      paramLabel = "F",
      description = "Only events that match, such as @.user.id == 'u1' && @.n > 5.")
  private @Nullable String filter;

  @Option(names = "--count", paramLabel = "N", description = "End after N events.")
  private long count = Long.MAX_VALUE;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  TailCommand() {}

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    StringJoiner query = new StringJoiner("&");
    if (fromStart) {
      query.add("from=start");
    }
    if (cursor != null) {
      query.add("cursor=" + URLEncoder.encode(cursor, StandardCharsets.UTF_8));
    }
    if (filter != null) {
      query.add("filter=" + URLEncoder.encode(filter, StandardCharsets.UTF_8));
    }
    HttpResponse<Stream<String>> response =
        server.send(
            server.request("/v1/tail?" + query).build(), HttpResponse.BodyHandlers.ofLines());
    if (response.statusCode() != 200) {
      throw new IOException(
          "the server answered "
              + response.statusCode()
              + ": "
              + response.body().reduce("", String::concat));
    }
    StringBuilder event = new StringBuilder();
    String type = "";
    Iterator<String> lines = response.body().iterator();
    long seen = 0;
    while (lines.hasNext()) {
      String line = lines.next();
      if (line.startsWith("data: ")) {
        event.append(line.substring("data: ".length()));
      } else if (line.startsWith("event: ")) {
        type = line.substring("event: ".length());
      } else if (line.isEmpty() && type.equals("error")) {
        throw new IOException("the server ended it: " + event);
      } else if (line.isEmpty() && event.length() > 0) {
        out.println(event);
        if (out.checkError()) {
          return 0; // the reader, such as head, has enough
        }
        event.setLength(0);
        type = "";
        if (++seen == count) {
          return 0;
        }
      }
    }
    throw new IOException("the server closed the connection");
  }
}
