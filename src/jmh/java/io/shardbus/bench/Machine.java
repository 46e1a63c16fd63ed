package io.shardbus.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What the numbers were measured on. */
final class Machine {

  private Machine() {}

  static String describe() {
    OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    var runtime = ManagementFactory.getRuntimeMXBean();
    return String.join(
        "\n",
        "- machine: %s, %d cores, %d GiB, load average %.2f"
            .formatted(
                processor(),
                system.getAvailableProcessors(),
                system.getTotalMemorySize() >> 30,
                system.getSystemLoadAverage()),
        "- system: %s %s %s".formatted(system.getName(), system.getVersion(), system.getArch()),
        "- JVM: %s %s".formatted(runtime.getVmName(), runtime.getVmVersion()),
        "- memory pools: " + pools(),
        "- time: " + ZonedDateTime.now(ZoneOffset.UTC).truncatedTo(ChronoUnit.SECONDS),
        "");
  }

  private static String processor() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.toLowerCase(Locale.ROOT).startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse("unknown processor");
    } catch (IOException e) {
      return "unknown processor";
    }
  }

  private static String pools() {
    return ManagementFactory.getMemoryPoolMXBeans().stream()
        .map(MemoryPoolMXBean::getName)
        .collect(Collectors.joining(", "));
  }
}
