package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/**
 * The schema and the tables of options in the documents are up to date. After a change of the
 * options, {@code mvn -Dtest=ConfigReferenceTest -Dshardbus.rewrite=true test} writes both anew.
 */
class ConfigReferenceTest {

  private static final List<Path> DOCUMENTS =
      List.of(Path.of("docs/operating.md"), Path.of("docs/sinks.md"), Path.of("docs/embedding.md"));

  @Test
  void schema_isThatOfTheOptions() throws Exception {
    assertMade(
        Path.of("src/main/resources/io/shardbus/app/config.schema.json"),
        before -> ConfigReference.schema());
  }

  @Test
  void tablesOfTheDocuments_areThoseOfTheOptions() throws Exception {
    List<String> found = new ArrayList<>();
    for (Path document : DOCUMENTS) {
      assertMade(document, ConfigReference::withTables);
      found.addAll(ConfigReference.tablesIn(Files.readString(document)));
    }
    assertThat(found).containsExactlyInAnyOrderElementsOf(ConfigReference.tables());
  }

  private static void assertMade(Path file, UnaryOperator<String> make) throws Exception {
    String made = make.apply(Files.readString(file));
    if (Boolean.getBoolean("shardbus.rewrite")) {
      Files.writeString(file, made);
    }
    assertThat(Files.readString(file))
        .as("%s: run with -Dshardbus.rewrite=true to write it anew", file)
        .isEqualTo(made);
  }
}
