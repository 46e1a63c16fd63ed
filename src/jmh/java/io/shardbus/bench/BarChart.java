package io.shardbus.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Horizontal bars in groups, as SVG. */
final class BarChart {

  private static final int LABELS = 210;
  private static final int BARS = 420;
  private static final int WIDTH = LABELS + BARS + 90;
  private static final int LINE = 22;
  private static final int TOP = 40;

  private record Line(String label, double value, boolean own, boolean heading) {}

  private final String title;
  private final List<Line> lines = new ArrayList<>();

  BarChart(String title) {
    this.title = title;
  }

  void group(String heading) {
    lines.add(new Line(heading, 0, false, true));
  }

  /**
   * @param own whether it is the product's: such bars have a colour of their own
   */
  void bar(String label, double value, boolean own) {
    lines.add(new Line(label, value, own, false));
  }

  boolean isEmpty() {
    return lines.isEmpty();
  }

  @Override
  public String toString() {
    int height = TOP + lines.size() * LINE + 10;
    StringBuilder svg = new StringBuilder();
    svg.append(
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" \
        font-family="sans-serif" font-size="13">
        <rect width="100%%" height="100%%" fill="#fff"/>
        <text x="10" y="24" font-size="16" font-weight="bold">%s</text>
        """
            .formatted(WIDTH, height, WIDTH, height, escape(title)));
    double most = lines.stream().mapToDouble(Line::value).max().orElse(1);
    int y = TOP;
    for (Line line : lines) {
      svg.append(line.heading() ? heading(line, y) : bar(line, y, most));
      y += LINE;
    }
    return svg.append("</svg>\n").toString();
  }

  private static String heading(Line line, int y) {
    return "<text x=\"10\" y=\"%d\" font-weight=\"bold\">%s</text>\n"
        .formatted(y + 16, escape(line.label()));
  }

  private static String bar(Line line, int y, double most) {
    double length = Math.max(1, line.value() / most * BARS);
    return String.format(
        Locale.ROOT,
        """
        <text x="%d" y="%d" text-anchor="end">%s</text>
        <rect x="%d" y="%d" width="%.1f" height="16" fill="%s"/>
        <text x="%.1f" y="%d">%.2f</text>
        """,
        LABELS - 8,
        y + 16,
        escape(line.label()),
        LABELS,
        y + 3,
        length,
        line.own() ? "#2563eb" : "#9ca3af",
        LABELS + length + 6,
        y + 16,
        line.value());
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
