package io.shardbus.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleBinaryOperator;
import java.util.function.ToDoubleFunction;

/** Load, shards, refusals and delay over time, as SVG: a column a load, a line a sink. */
final class ScalingChart {

  private static final int LEFT = 70;
  private static final int TOP = 80;
  private static final int WIDTH = 280;
  private static final int HEIGHT = 110;
  private static final int GAP = 46;
  private static final int POINTS = 140;
  private static final String[] COLOURS = {"#2563eb", "#15803d", "#c2410c", "#7c3aed"};

  /** A row of the chart. Each point of a line stands for several looks, joined by an operator. */
  private record Row(
      String title, ToDoubleFunction<ScalingTrace.Look> value, DoubleBinaryOperator joined) {}

  private record Point(double seconds, double value) {}

  private static final List<Row> ROWS =
      List.of(
          new Row("load, events/s", ScalingTrace.Look::due, Math::max),
          new Row("active shards", ScalingTrace.Look::shards, Math::max),
          new Row("refused in 10 ms", ScalingTrace.Look::refused, Math::max),
          new Row("delay p99, ms", ScalingTrace.Look::delayMillis, Math::max));

  private final List<ScalingTrace> traces;

  ScalingChart(List<ScalingTrace> traces) {
    this.traces = traces;
  }

  @Override
  public String toString() {
    List<LoadShape> shapes = traces.stream().map(trace -> trace.shape).distinct().toList();
    int width = LEFT + Math.max(2, shapes.size()) * (WIDTH + GAP);
    int height = TOP + ROWS.size() * (HEIGHT + GAP);
    StringBuilder svg = new StringBuilder();
    svg.append(
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" \
        font-family="sans-serif" font-size="12">
        <rect width="100%%" height="100%%" fill="#fff"/>
        <text x="10" y="24" font-size="16" font-weight="bold">Scaling under load</text>
        """
            .formatted(width, height, width, height));
    legend(svg);
    for (int column = 0; column < shapes.size(); column++) {
      LoadShape shape = shapes.get(column);
      int x = LEFT + column * (WIDTH + GAP);
      text(svg, x, TOP - 22, "start", shape.word() + ", s");
      for (int row = 0; row < ROWS.size(); row++) {
        panel(svg, ROWS.get(row), shape, x, TOP + row * (HEIGHT + GAP));
      }
    }
    return svg.append("</svg>\n").toString();
  }

  private void legend(StringBuilder svg) {
    int x = 200;
    for (Backend backend : traces.stream().map(trace -> trace.backend).distinct().toList()) {
      svg.append(
          "<rect x=\"%d\" y=\"15\" width=\"18\" height=\"4\" fill=\"%s\"/>%n"
              .formatted(x, COLOURS[backend.ordinal()]));
      text(svg, x + 24, 22, "start", backend.word());
      x += 90;
    }
  }

  private void panel(StringBuilder svg, Row row, LoadShape shape, int x, int y) {
    double most = traces.stream().mapToDouble(trace -> most(trace, row)).max().orElse(0);
    double top = Math.max(1, most);
    double seconds = traces.stream().mapToDouble(ScalingChart::seconds).max().orElse(1);
    svg.append(
        "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#d1d5db\"/>%n"
            .formatted(x, y, WIDTH, HEIGHT));
    text(svg, x + 4, y - 4, "start", row.title());
    text(svg, x - 4, y + 10, "end", String.format(Locale.ROOT, "%,.0f", top));
    text(svg, x - 4, y + HEIGHT, "end", "0");
    text(svg, x, y + HEIGHT + 13, "middle", "0");
    text(svg, x + WIDTH, y + HEIGHT + 13, "middle", String.format(Locale.ROOT, "%.0f", seconds));
    for (ScalingTrace trace : traces) {
      if (trace.shape == shape) {
        svg.append("<polyline fill=\"none\" stroke-width=\"1.5\" stroke=\"")
            .append(COLOURS[trace.backend.ordinal()])
            .append("\" points=\"");
        for (Point point : points(trace, row)) {
          svg.append(
              String.format(
                  Locale.ROOT,
                  "%.1f,%.1f ",
                  x + WIDTH * point.seconds() / seconds,
                  y + HEIGHT * (1 - point.value() / top)));
        }
        svg.append("\"/>\n");
      }
    }
  }

  private static double seconds(ScalingTrace trace) {
    return trace.looks.isEmpty() ? 0 : trace.looks.get(trace.looks.size() - 1).seconds();
  }

  private static double most(ScalingTrace trace, Row row) {
    return points(trace, row).stream().mapToDouble(Point::value).max().orElse(0);
  }

  private static List<Point> points(ScalingTrace trace, Row row) {
    int each = Math.max(1, trace.looks.size() / POINTS);
    List<Point> points = new ArrayList<>();
    for (int from = 0; from < trace.looks.size(); from += each) {
      List<ScalingTrace.Look> looks =
          trace.looks.subList(from, Math.min(from + each, trace.looks.size()));
      looks.stream()
          .mapToDouble(row.value())
          .filter(value -> !Double.isNaN(value))
          .reduce(row.joined())
          .ifPresent(value -> points.add(new Point(looks.get(0).seconds(), value)));
    }
    return points;
  }

  private static void text(StringBuilder svg, int x, int y, String anchor, String text) {
    svg.append(
        "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\">%s</text>%n".formatted(x, y, anchor, text));
  }
}
