package io.shardbus.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The alert rules that are shipped, on recorded series. */
@Tag("backend")
class AlertsTest {

  private static final Path RULES = Path.of("conf/alerts.yml");
  private static final Path PROMTOOL = Path.of("/usr/bin/promtool");

  @TempDir Path dir;

  @Test
  void rules_fireWhenTheyShouldAndOnlyThen() throws Exception {
    assumeTrue(Files.isExecutable(PROMTOOL), "prometheus is not installed");
    Files.copy(RULES, dir.resolve("alerts.yml"));
    Path tests = dir.resolve("alerts.test.yml");
    Files.copy(Path.of("src/test/resources/alerts.test.yml"), tests);
    assertSucceeds("check", "rules", dir.resolve("alerts.yml").toString());
    assertSucceeds("test", "rules", tests.toString());
  }

  private static void assertSucceeds(String... words) throws Exception {
    Process process =
        new ProcessBuilder(PROMTOOL.toString(), words[0], words[1], words[2])
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
  }

  @Test
  void rules_nameMetersThatThereAre() throws Exception {
    String meters = Files.readString(Path.of("conf/METRICS.md"));
    assertThat(Pattern.compile("shardbus_\\w+").matcher(Files.readString(RULES)).results())
        .hasSizeGreaterThan(6)
        .extracting(MatchResult::group)
        .allMatch(name -> meters.contains("`" + name + "`"));
  }
}
