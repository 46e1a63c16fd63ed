package io.shardbus.bench;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Warmup;

/** A few systems while one factor at a time changes: payload, producers, shards. */
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 2, time = 1)
public class Sweep extends PipelineBenchmark {

  static Set<Setting> settings(List<String> producers, List<String> shards, List<String> bytes) {
    Set<Setting> settings = new LinkedHashSet<>();
    for (String each : bytes) {
      settings.add(
          new Setting(Setting.BASE.producers(), Setting.BASE.shards(), Integer.parseInt(each)));
    }
    for (String each : producers) {
      settings.add(
          new Setting(Integer.parseInt(each), Setting.BASE.shards(), Setting.BASE.bytes()));
    }
    for (String each : shards) {
      settings.add(
          new Setting(Setting.BASE.producers(), Integer.parseInt(each), Setting.BASE.bytes()));
    }
    return settings;
  }
}
