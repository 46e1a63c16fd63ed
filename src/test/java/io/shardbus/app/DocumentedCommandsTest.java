package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Commands that are written down somewhere can be given. */
class DocumentedCommandsTest {

  /** Blocks between fences for a shell, and indented ones. */
  private static final Pattern CODE =
      Pattern.compile("^```sh\\n(.*?)^```|^( {4}.*?)$", Pattern.MULTILINE | Pattern.DOTALL);

  private static final Pattern COMMAND =
      Pattern.compile(
          "(?:java -jar target/shardbus\\.jar|target/shardbus|(?<![\\w./-])shardbus)"
              + " ((?:\"[^\"]*\"|'[^']*'|[^\"'|;&)\\n])*)");

  private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|'([^']*)'|(\\S+)");

  private static List<String> commands(String text) {
    return COMMAND.matcher(text).results().map(match -> match.group(1)).toList();
  }

  private static void assertCanBeGiven(String command) {
    String[] words =
        WORD.matcher(command.replaceFirst("(^|\\s)#.*", ""))
            .results()
            .map(DocumentedCommandsTest::word)
            .toArray(String[]::new);
    assertThatCode(() -> Main.commandLine(new Main()).parseArgs(words))
        .as(command)
        .doesNotThrowAnyException();
  }

  private static String word(MatchResult match) {
    return Stream.of(1, 2, 3)
        .map(match::group)
        .filter(java.util.Objects::nonNull)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void documents_nameCommandsThatThereAre() throws Exception {
    int found = 0;
    for (Path page : documents()) {
      for (MatchResult code : CODE.matcher(Files.readString(page)).results().toList()) {
        for (String command : commands(code.group())) {
          // The argument of a function of the shell, and where output goes.
          assertCanBeGiven(command.replace("$1", "1").replaceFirst(" \\d?>.*", ""));
          found++;
        }
      }
    }
    assertThat(found).isGreaterThanOrEqualTo(11);
  }

  private static List<Path> documents() throws IOException {
    List<Path> found = new ArrayList<>();
    for (String folder : List.of("", "docs", "conf")) {
      try (Stream<Path> files = Files.list(Path.of(folder))) {
        files.filter(file -> file.toString().endsWith(".md")).forEach(found::add);
      }
    }
    return found;
  }

  @Test
  void help_givesExamplesThatWork() {
    CommandLine main = Main.commandLine(new Main());
    int found = 0;
    for (CommandLine each : main.getSubcommands().values()) {
      found += assertExamplesWork(each);
    }
    assertThat(assertExamplesWork(main)).isEqualTo(5);
    assertThat(found).isGreaterThan(15);
  }

  private static int assertExamplesWork(CommandLine command) {
    int found = 0;
    for (String line : command.getCommandSpec().usageMessage().footer()) {
      for (String example : commands(line)) {
        assertCanBeGiven(example.replaceFirst("  .*", "")); // what it is for
        found++;
      }
    }
    return found;
  }
}
