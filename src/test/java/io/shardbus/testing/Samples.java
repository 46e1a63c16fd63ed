package io.shardbus.testing;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a scrape in Prometheus' text format says. */
public final class Samples {

  private static final Pattern SAMPLE =
      Pattern.compile("([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{(.*)})? (\\S+)");
  private static final Pattern LABEL =
      Pattern.compile("([a-zA-Z_]\\w*)=\"((?:[^\"\\\\]|\\\\.)*)\"");

  /** One line. */
  public record Sample(String name, Map<String, String> labels, double value) {}

  private final Map<String, String> types = new LinkedHashMap<>();
  private final List<Sample> samples = new ArrayList<>();

  public Samples(String text) {
    text.lines().forEach(this::line);
  }

  private void line(String line) {
    if (line.startsWith("# TYPE ")) {
      int type = line.lastIndexOf(' ');
      types.put(line.substring("# TYPE ".length(), type), line.substring(type + 1));
      return;
    }
    Matcher sample = SAMPLE.matcher(line);
    if (line.startsWith("#") || !sample.matches()) {
      return;
    }
    Map<String, String> labels = new LinkedHashMap<>();
    if (sample.group(2) != null) {
      Matcher label = LABEL.matcher(sample.group(2));
      while (label.find()) {
        labels.put(label.group(1), label.group(2));
      }
    }
    samples.add(new Sample(sample.group(1), labels, Double.parseDouble(sample.group(3))));
  }

  /** Types by the name of the family. */
  public Map<String, String> types() {
    return types;
  }

  public List<Sample> of(String name) {
    return samples.stream().filter(s -> s.name().equals(name)).toList();
  }

  /** The sum of the samples of a name that have the labels, given as name, value, and so on. */
  public double sum(String name, String... labels) {
    return of(name).stream()
        .filter(
            sample -> {
              for (int i = 0; i < labels.length; i += 2) {
                if (!labels[i + 1].equals(sample.labels().get(labels[i]))) {
                  return false;
                }
              }
              return true;
            })
        .mapToDouble(Sample::value)
        .sum();
  }

  /** As {@link #sum}, of what is counted in whole numbers. */
  public long count(String name, String... labels) {
    return Math.round(sum(name, labels));
  }
}
