package io.shardbus.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Events per second by HTTP, one a request, over kept connections, beside a bare server of Vert.x
 * that parses the same JSON. wrk sends to both in turn, from the same machine.
 */
final class KeepAliveStudy {

  private static final String WRK = "wrk";
  private static final int CONNECTIONS = 32;
  private static final int ROUNDS = 5;
  private static final Pattern RATE = Pattern.compile("Requests/sec:\\s+([0-9.]+)");
  private static final String EVENT =
      "{\"user\":{\"id\":\"u1\",\"name\":\"Ada Lovelace\"},\"page\":\"/products/17?ref=mail\","
          + "\"n\":1234567,\"price\":19.99,\"tags\":[\"new\",\"sale\"],\"agent\":\"Mozilla/5.0\"}";

  private KeepAliveStudy() {}

  public static void main(String[] arguments) throws Exception {
    Table table =
        new Table(
            "One event a request by HTTP, %d connections kept, %d B an event, %d rounds in turn"
                .formatted(CONNECTIONS, EVENT.length(), ROUNDS),
            "server",
            "thousand events/s",
            "range",
            "to the bare server",
            "range",
            "target");
    if (!ServerProcess.isInstalled(WRK)) {
      table.row(WRK, "skipped: not installed", "", "", "", "");
      System.out.println(table);
      return;
    }
    long seconds = Math.max(1, TimeUnit.NANOSECONDS.toSeconds(Study.nanos(arguments)));
    List<Double> ours = new ArrayList<>();
    List<Double> bare = new ArrayList<>();
    List<Double> ratios = new ArrayList<>();
    try (Opened opened = new Opened()) {
      Path folder = opened.add(new TemporaryFolder()).path();
      Path script = Files.writeString(folder.resolve("post.lua"), script());
      int shardbus = opened.add(ServerProcess.shardbus(folder, "--sink", "noop")).port();
      int other = opened.add(ServerProcess.java(folder, BareServer.class)).port();
      rate(script, shardbus, seconds); // warm
      rate(script, other, seconds);
      for (int i = 0; i < ROUNDS; i++) {
        ours.add(rate(script, shardbus, seconds));
        bare.add(rate(script, other, seconds));
        ratios.add(ours.get(i) / bare.get(i));
      }
    }
    Spread toBare = new Spread("%.2f", ratios);
    row(table, "Shardbus", ours, toBare.median(), toBare.range(), true, ratios);
    row(table, "bare Vert.x", bare, "", "", false, ratios);
    System.out.println(table);
  }

  private static void row(
      Table table,
      String server,
      List<Double> rates,
      String ratio,
      String range,
      boolean target,
      List<Double> ratios) {
    Spread rate = new Spread("%.1f", rates.stream().map(each -> each / 1e3).toList());
    table.row(
        server,
        rate.median(),
        rate.range(),
        ratio,
        range,
        target ? Target.atLeast(0.85, "times the bare server", Median.of(ratios)) : "");
  }

  private static String script() {
    return "wrk.method = 'POST'\nwrk.body = '"
        + EVENT
        + "'\nwrk.headers['Content-Type'] = 'application/json'\n";
  }

  private static double rate(Path script, int port, long seconds)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                WRK,
                "-t1",
                "-c" + CONNECTIONS,
                "-d" + seconds + "s",
                "-s",
                script.toString(),
                "http://127.0.0.1:" + port + "/v1/events")
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    Matcher rate = RATE.matcher(output);
    if (process.waitFor() != 0 || !rate.find() || output.contains("Non-2xx")) {
      throw new IllegalStateException(WRK + ": " + output);
    }
    return Double.parseDouble(rate.group(1));
  }
}
