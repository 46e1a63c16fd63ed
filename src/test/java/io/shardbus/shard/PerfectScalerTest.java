package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;

class PerfectScalerTest {

  private static IntUnaryOperator needed(int... byTick) {
    return tick -> byTick[tick];
  }

  @Test
  void needed_isTheLeastThatCovers() {
    assertThat(PerfectScaler.needed(0, 20_000)).isEqualTo(1);
    assertThat(PerfectScaler.needed(20_000, 20_000)).isEqualTo(1);
    assertThat(PerfectScaler.needed(20_001, 20_000)).isEqualTo(2);
    assertThat(PerfectScaler.needed(60_000, 20_000)).isEqualTo(3);
    assertThat(PerfectScaler.needed(0.3, 0.1)).isEqualTo(3); // 0.3 / 0.1 is a little above 3
  }

  @Test
  void shardTicks_withoutDelayFollowTheLoad() {
    assertThat(PerfectScaler.shardTicks(needed(1, 3, 3, 1, 2), 5, 0)).isEqualTo(10);
  }

  @Test
  void shardTicks_holdEachShardAfterItsLastUse() {
    // 1 3 3 3 2 1: the third shard is needed last in tick 1 and held for 2 more, the second in 2.
    assertThat(PerfectScaler.shardTicks(needed(1, 3, 2, 1, 1, 1), 6, 2)).isEqualTo(13);
  }

  @Test
  void shardTicks_neededAgainHoldAnew() {
    // 2 2 2 2 2 1: needed in ticks 0 and 2, held for 2 more each.
    assertThat(PerfectScaler.shardTicks(needed(2, 1, 2, 1, 1, 1), 6, 2)).isEqualTo(11);
  }

  @Test
  void shardTicks_severalLeaveAtOnce() {
    // 4 4 1 1
    assertThat(PerfectScaler.shardTicks(needed(4, 1, 1, 1), 4, 1)).isEqualTo(10);
  }
}
