package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/**
 * What is made from the options is up to date. After a change of the options, {@code mvn
 * -Dtest=ConfigReferenceTest -Dshardbus.rewrite=true test} writes it anew.
 */
class ConfigReferenceTest {

  @Test
  void schema_isThatOfTheOptions() throws Exception {
    assertMade(
        Path.of("src/main/resources/io/shardbus/app/config.schema.json"),
        before -> ConfigReference.schema());
  }

  @Test
  void tablesOfTheReference_areThoseOfTheOptions() throws Exception {
    Path reference = Path.of("conf/README.md");
    for (String table : ConfigReference.tables()) {
      assertThat(Files.readString(reference)).contains("<!-- options of " + table + " -->");
    }
    assertMade(reference, ConfigReference::withTables);
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
