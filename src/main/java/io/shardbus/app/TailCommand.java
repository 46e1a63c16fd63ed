package io.shardbus.app;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
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
      "  shardbus tail --since -15m --key u1",
      "  shardbus tail --from-start --envelope |",
      "      shardbus feed --envelope --url http://other:8080",
      "  shardbus tail --filter \"@.user == 'u1' && @.n > 5\"",
      "  shardbus tail --from-start --filter '$key == \"u1\" && $time > \"2026-11-30T09\"'",
      "",
      "Exit codes: 0 N events or all until the time seen, or the reader has gone;",
      "1 the server ended it, or the disk is full; 2 wrong usage."
    })
final class TailCommand implements Callable<Integer> {

  static final String MISSED = "shardbus: events that were deleted before they could be read: ";

  @Spec private CommandSpec spec;
  @Mixin private ServerUrl server;

  @Option(names = "--from-start", description = "Begin with the oldest event, not with the next.")
  private boolean fromStart;

  @Option(names = "--cursor", paramLabel = "C", description = "Go on after this cursor.")
  private @Nullable String cursor;

  @Option(
      names = "--since",
      paramLabel = "T",
      description =
          "Begin with the oldest event of this time: RFC 3339, or before now, such as -15m.")
  private @Nullable String since;

  @Option(
      names = "--until",
      paramLabel = "T",
      description = "Only events older than this time, and end when there are no more.")
  private @Nullable String until;

  @Option(names = "--key", paramLabel = "K", description = "Only events with this key.")
  private @Nullable String key;

  @Option(names = "--shard", paramLabel = "ID", description = "Only events of this shard.")
  private @Nullable Integer shard;

  @Option(
      names = "--filter",
      paramLabel = "F",
      description = "Only events that match, such as @.user.id == 'u1' && @.n > 5.")
  private @Nullable String filter;

  @Option(
      names = "--envelope",
      description = "Lines that feed --envelope sends with every byte of the events.")
  private boolean envelope;

  @Option(names = "--count", paramLabel = "N", description = "End after N events.")
  private long count = Long.MAX_VALUE;

  @Option(names = "--json", description = "One JSON object a line, which it always prints.")
  private boolean json;

  private long seen;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  TailCommand() {}

  @Override
  public Integer call() throws Exception {
    if (count < 1) {
      throw new ConfigException("--count: " + count + " must be at least 1");
    }
    if (json && envelope) {
      throw new ConfigException("--json: not together with --envelope");
    }
    HttpRequest.Builder request = server.request("/v1/tail?" + query());
    if (envelope) {
      request.header("Accept", FeedCommand.ENVELOPES);
    }
    HttpResponse<Stream<String>> response =
        server.send(request.build(), HttpResponse.BodyHandlers.ofLines());
    try (Stream<String> lines = response.body()) {
      if (response.statusCode() != 200) {
        throw ServerUrl.refusal(response.statusCode(), lines.reduce("", String::concat));
      }
      if (envelope ? envelopes(lines.iterator()) : messages(lines.iterator())) {
        return 0;
      }
    } catch (UncheckedIOException e) {
      throw new IOException("the connection broke: " + Failures.describe(e), e);
    }
    throw new IOException("the server closed the connection");
  }

  private String query() {
    StringJoiner query = new StringJoiner("&");
    if (fromStart) {
      query.add("from=start");
    }
    add(query, "cursor", cursor);
    add(query, "since", since);
    add(query, "until", until);
    add(query, "key", key);
    add(query, "shard", shard);
    add(query, "filter", filter);
    return query.toString();
  }

  private static void add(StringJoiner query, String name, @Nullable Object value) {
    if (value != null) {
      query.add(name + "=" + URLEncoder.encode(value.toString(), StandardCharsets.UTF_8));
    }
  }

  /** Whether that is all that was wanted. */
  private boolean envelopes(Iterator<String> lines) {
    while (lines.hasNext()) {
      String line = lines.next();
      if (!line.isEmpty() && isLast(line)) {
        return true;
      }
    }
    return until != null;
  }

  private boolean messages(Iterator<String> lines) throws IOException {
    StringBuilder event = new StringBuilder();
    String type = "";
    while (lines.hasNext()) {
      String line = lines.next();
      if (line.startsWith("data: ")) {
        event.append(line.substring("data: ".length()));
      } else if (line.startsWith("event: ")) {
        type = line.substring("event: ".length());
      } else if (line.isEmpty() && type.equals("error")) {
        throw new IOException("the server ended it: " + event);
      } else if (line.isEmpty() && type.equals("end")) {
        return true;
      } else if (line.isEmpty() && type.equals("missed")) {
        PrintWriter err = spec.commandLine().getErr();
        err.println(MISSED + event);
        err.flush();
        event.setLength(0);
        type = "";
      } else if (line.isEmpty() && event.length() > 0) {
        if (isLast(event)) {
          return true;
        }
        event.setLength(0);
        type = "";
      }
    }
    return false;
  }

  /** Prints an event. */
  private boolean isLast(CharSequence event) {
    PrintWriter out = spec.commandLine().getOut();
    out.println(event);
    return out.checkError() // the reader, such as head, has enough
        || ++seen == count;
  }
}
