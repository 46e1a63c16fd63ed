package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.app.soak.Soak;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("hot")
@Tag("slow")
class SoakTest {

  /** One round for each backpressure mode, with other dice every time; the seeds are printed. */
  @Test
  void chaos_breaksNoPromise() throws Exception {
    long seed = new Random().nextInt(1_000_000);
    PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    Soak soak = new Soak(seed, out, false);
    assertThat(soak.run(Duration.ofMinutes(5), 4)).as("seeds from " + seed).isTrue();
    assertThat(soak.scalings()).isGreaterThan(4);
  }

  @Test
  void json_isAnObjectALine() {
    Command soak = Command.run("soak", "--json", "--rounds", "2", "--seed", "5");
    assertThat(soak.exit()).as(soak.stdout()).isZero();
    List<JsonObject> lines = soak.stdout().lines().map(JsonObject::new).toList();
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
    assertThat(Command.run("soak", "--rounds", "0").exit()).isEqualTo(2);
    assertThat(Command.run("soak", "--minutes", "NaN").exit()).isEqualTo(2);
  }
}
