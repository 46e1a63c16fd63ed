package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.app.soak.Soak;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class SoakTest {

  /** One round for each backpressure mode, with other dice every time; the seeds are printed. */
  @Test
  void chaos_breaksNoPromise() throws Exception {
    long seed = new Random().nextInt(1_000_000);
    Soak soak = new Soak(seed, new PrintWriter(System.out, true, StandardCharsets.UTF_8));
    assertThat(soak.run(Duration.ofMinutes(5), 8)).as("seeds from " + seed).isTrue();
    assertThat(soak.scalings()).isGreaterThan(100);
  }

  @Test
  void badOptions_areNamed() {
    assertThat(Main.execute(new PrintWriter(Writer.nullWriter()), "soak", "--rounds", "0"))
        .isEqualTo(2);
    assertThat(Main.execute(new PrintWriter(Writer.nullWriter()), "soak", "--minutes", "NaN"))
        .isEqualTo(2);
  }
}
