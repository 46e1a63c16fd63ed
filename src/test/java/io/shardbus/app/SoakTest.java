package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.app.soak.Soak;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("hot")
@Tag("slow")
class SoakTest {

  private static final PrintWriter NOWHERE = new PrintWriter(Writer.nullWriter());

  /** One round for each backpressure mode, with other dice every time; the seeds are printed. */
  @Test
  void chaos_breaksNoPromise() throws Exception {
    long seed = new Random().nextInt(1_000_000);
    PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    Soak soak = new Soak(seed, out, false);
    assertThat(soak.run(Duration.ofMinutes(5), 8)).as("seeds from " + seed).isTrue();
    assertThat(soak.scalings()).isGreaterThan(8);
  }

  @Test
  void json_isAnObjectALine() {
    StringWriter out = new StringWriter();
    int code =
        Main.execute(
            new PrintWriter(out), NOWHERE, "soak", "--json", "--rounds", "2", "--seed", "5");
    assertThat(code).as(out.toString()).isZero();
    List<JsonObject> lines = out.toString().lines().map(JsonObject::new).toList();
    assertThat(lines).hasSize(3);
    JsonObject all = lines.get(2);
    assertThat(all.getBoolean("promisesKept")).isTrue();
    assertThat(all.getInteger("rounds")).isEqualTo(2);
    for (String counter : List.of("offered", "delivered", "scalings", "kills")) {
      assertThat(lines.get(0).getLong(counter) + lines.get(1).getLong(counter))
          .as(counter)
          .isEqualTo(all.getLong(counter));
    }
    assertThat(lines.get(1).getLong("seed")).isEqualTo(6);
    assertThat(lines.get(1).getLong("violationCount")).isZero();
    for (String kind : List.of("lost", "doubled", "reordered", "unanswered", "other")) {
      assertThat(all.getLong(kind)).as(kind).isZero();
    }
  }

  @Test
  void badOptions_areNamed() {
    assertThat(Main.execute(NOWHERE, NOWHERE, "soak", "--rounds", "0")).isEqualTo(2);
    assertThat(Main.execute(NOWHERE, NOWHERE, "soak", "--minutes", "NaN")).isEqualTo(2);
  }
}
