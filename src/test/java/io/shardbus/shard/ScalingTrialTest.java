package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** By hand: what a trial makes of what the shards drained. Rates are in events per second. */
class ScalingTrialTest {

  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
  private static final int ANY_NUMBER = Integer.MAX_VALUE;

  private final ScalingTrial trial = new ScalingTrial();
  private long now;

  /** Two windows in which 60,000 come. */
  private void overload(int shards, double settled) {
    for (int i = 0; i < 2; i++) {
      now += SECOND;
      trial.windowEnded(shards, 0.1, true, true, 60_000, settled, now, 60 * SECOND);
    }
  }

  @Test
  void shardsThatHelp_endTheTrial() {
    trial.begin(1, 20_000, 20_000);
    assertThat(trial.leastPerShard()).isEqualTo(10_000);
    overload(2, 40_000);
    assertThat(trial.leastPerShard()).isZero();
    assertThat(trial.most()).isEqualTo(ANY_NUMBER);
  }

  @Test
  void sharedSink_isFoundByMeasuringTwice() {
    trial.begin(1, 20_000, 20_000);
    overload(2, 20_000);
    assertThat(trial.most()).as("the first 20,000 were an estimate").isEqualTo(ANY_NUMBER);
    assertThat(trial.step(7)).isEqualTo(1);
    overload(3, 20_000);
    assertThat(trial.most()).isEqualTo(1);
    assertThat(trial.reason()).contains("3 shards drain no more than 1, 20000 events/s");
  }

  @Test
  void estimateThatWasTooHigh_isNoVerdict() {
    trial.begin(1, 42_700, 42_700);
    overload(2, 40_000);
    overload(3, 60_000);
    assertThat(trial.most()).isEqualTo(ANY_NUMBER);
    assertThat(trial.leastPerShard()).isZero();
  }

  @Test
  void longWrites_areJudgedByThree() {
    trial.begin(1, 20_000, 20_000);
    double[] lumps = {0, 0, 60_000, 0, 0, 60_000};
    for (double lump : lumps) {
      now += SECOND;
      trial.windowEnded(3, 2, true, true, 60_000, lump, now, 60 * SECOND);
    }
    assertThat(trial.most()).isEqualTo(1);
  }

  @Test
  void slowWritesThatMoreShardsDoNotQuicken_areAFailure() {
    trial.begin(1, 1_000, 0);
    for (int i = 0; i < 2; i++) {
      trial.windowEnded(3, 0.5, true, true, 1_000, 1_000, now += SECOND, 60 * SECOND);
    }
    assertThat(trial.most()).isEqualTo(1);
  }

  @Test
  void noMoreShardsAllowed_isJudgedAtOnce() {
    trial.begin(1, 20_000, 20_000);
    for (int i = 0; i < 2; i++) {
      trial.windowEnded(2, 0.1, false, true, 60_000, 20_000, now += SECOND, 60 * SECOND);
    }
    assertThat(trial.most()).isEqualTo(1);
  }

  @Test
  void wrongVerdict_isTakenBackWhenFewerDrainLess() {
    trial.begin(1, 42_700, 42_700);
    overload(3, 30_000); // three times as many: sure
    assertThat(trial.most()).isEqualTo(1);
    overload(1, 10_000);
    assertThat(trial.most()).isEqualTo(ANY_NUMBER);
  }

  @Test
  void verdict_lastsForTheDelayAndTwiceAsLongTheNextTime() {
    for (int minutes = 1; minutes <= 4; minutes *= 2) {
      trial.begin(1, 20_000, 20_000);
      overload(3, 20_000);
      overload(1, 20_000);
      assertThat(trial.most()).isEqualTo(1);
      now += minutes * 60L * SECOND - 3 * SECOND;
      overload(1, 20_000);
      assertThat(trial.most()).as("after %d min", minutes).isEqualTo(ANY_NUMBER);
    }
  }
}
