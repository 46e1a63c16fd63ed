package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.shard.ScalingRules.MajorityFull;
import io.shardbus.shard.ScalingRules.Rule;
import io.shardbus.shard.ScalingRules.Shipped;
import io.shardbus.shard.ScalingRules.Thresholds;
import io.shardbus.shard.ScalingScenarios.Scenario;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the shipped scaling rule has to reach, on the shipped engine in virtual time, beside other
 * rules. Writes the table that the documentation shows to {@code target/scaling-simulation.md}.
 */
@Tag("hot")
@Tag("slow")
class ScalingSimulationTest {

  private static final int MAX_SHARDS = 8;
  private static final String SHIPPED = "shipped";

  /** How often the bus asks the rule. */
  private static final Duration LOOK = Duration.ofMillis(50);

  private static final String LEGEND =
      """
      A shard drains 20,000 events/s. Each run begins with one shard; there may be 8. A new shard \
      takes events 5 ms after it was asked for. A ring holds 16,384 events, or 400 ms of what one \
      shard cannot drain of a step or a burst, rounded up to a power of two: 16,384 and 32,768. \
      Long runs are scaled down, rates and rings alike.

      - **shipped**: the rule of this version, with default options.
      - **thresholds**: once a second, each shard with a ring above 70 % asks for another. At least \
      10 s between changes.
      - **majority full**: every 100 ms, if more than half of the rings are above 70 %, half as \
      many shards again. At least 1 s between changes.
      - **Perfect**: the shard-seconds of a scaler that knows the future: always as few shards as \
      drain what comes. For the burst and the sawtooths it keeps each shard for 60 s, as the \
      others do.
      - **Relief**: from the step until the active shards drain what comes, and all have slots; - \
      if never, or if there is no step.

      """;

  private static final Map<String, Supplier<Rule>> RULES = new LinkedHashMap<>();

  static {
    RULES.put(SHIPPED, () -> new Shipped(LOOK));
    RULES.put("thresholds", () -> new Thresholds(MAX_SHARDS));
    RULES.put("majority full", () -> new MajorityFull(MAX_SHARDS));
  }

  private static final Map<String, ScalingOutcome> OUTCOMES = new LinkedHashMap<>();

  private static ScalingPolicy policy() {
    return new ScalingPolicy().setMaxShards(MAX_SHARDS);
  }

  /** Each is run once. */
  private static ScalingOutcome outcome(Scenario scenario, String rule) {
    return OUTCOMES.computeIfAbsent(
        scenario + "/" + rule,
        name -> new ScalingSimulation(scenario, RULES.get(rule).get(), policy(), 1).run());
  }

  private static ScalingOutcome shipped(Scenario scenario) {
    return outcome(scenario, SHIPPED);
  }

  @Test
  void table_isWritten() throws IOException {
    StringBuilder table = new StringBuilder(LEGEND).append(ScalingOutcome.HEADER);
    StringBuilder changes = new StringBuilder();
    for (Scenario scenario : ScalingScenarios.all()) {
      for (String rule : RULES.keySet()) {
        ScalingOutcome outcome = outcome(scenario, rule);
        table.append(outcome.row(scenario.toString(), rule));
      }
      changes.append(scenario).append('\n');
      outcome(scenario, SHIPPED)
          .changes()
          .forEach(change -> changes.append("  ").append(change).append('\n'));
    }
    System.out.println(table);
    System.out.println("What the shipped rule changed, seed " + ScalingSimulation.SEED + ":");
    System.out.println(changes);
    Files.writeString(Path.of("target", "scaling-simulation.md"), table);
    assertThat(OUTCOMES).hasSize(RULES.size() * ScalingScenarios.all().size());
  }

  // ---------------------------------------------------------------- what it has to reach

  static Stream<Scenario> sudden() {
    return Stream.of(ScalingScenarios.step(), ScalingScenarios.burst());
  }

  static Stream<Scenario> steady() {
    return Stream.of(
        ScalingScenarios.step(),
        ScalingScenarios.ramp(),
        ScalingScenarios.noisyFlat(),
        ScalingScenarios.daily());
  }

  @ParameterizedTest
  @MethodSource("sudden")
  void suddenLoad_isNotRefused(Scenario scenario) {
    assertThat(shipped(scenario).refused()).isZero();
  }

  @ParameterizedTest
  @MethodSource("sudden")
  void suddenLoad_isRelievedWithin200Millis(Scenario scenario) {
    assertThat(shipped(scenario).reliefMillis()).isBetween(0, 199);
  }

  @ParameterizedTest
  @MethodSource("steady")
  void shardSeconds_areAtMostAQuarterMoreThanPerfect(Scenario scenario) {
    assertThat(shipped(scenario).ratio()).isLessThanOrEqualTo(1.25);
  }

  @Test
  void noisyFlat_turnsAtMostOnceAMinute() {
    assertThat(shipped(ScalingScenarios.noisyFlat()).reversalsPerMinute()).isLessThanOrEqualTo(1);
  }

  @Test
  void sinkIsTheBottleneck_stopsAddingAndGivesBack() {
    Scenario scenario = ScalingScenarios.sinkIsTheBottleneck();
    ScalingOutcome outcome = shipped(scenario);
    assertThat(outcome.mostShards()).isLessThanOrEqualTo(MAX_SHARDS / 2);
    int lastOverloaded = ScalingScenarios.BOTTLENECK_UNTIL_SECOND - 1;
    assertThat(outcome.activeBySecond().get(lastOverloaded))
        .as("shards when the overload has lasted for long")
        .isLessThanOrEqualTo(2);
  }

  /** As many as the load would need at 80 % if it could be split: it takes a look to see that. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void hotHash_isNoReasonForShards(boolean keyed) {
    Scenario scenario = ScalingScenarios.hotSlot();
    ScalingOutcome outcome = shipped(keyed ? scenario.keyed() : scenario);
    assertThat(outcome.mostShards()).isLessThanOrEqualTo(3);
  }
}
