package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.IngestResult;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MonotonicClockTest {

  private static final long START = Duration.ofDays(20_000).toNanos();
  private static final long MILLI = 1_000_000;

  private long nano = 77;
  private long wall = START;
  private int wallReadings;
  private boolean heldUp;

  private final MonotonicClock clock =
      new MonotonicClock(
          () -> nano,
          () -> {
            wallReadings++;
            return wall;
          });

  private void pass(Duration time) {
    nano += time.toNanos();
    wall += time.toNanos();
  }

  private void jump(Duration by) {
    wall += by.toNanos();
  }

  @Test
  void wallClock_isReadOnceAMillisecondAtTheMost() {
    int before = wallReadings;
    for (int i = 0; i < 10_000; i++) {
      pass(Duration.ofNanos(1_000));
      assertThat(clock.getAsLong()).isEqualTo(wall);
    }
    assertThat(wallReadings - before).isEqualTo(10);
  }

  @ParameterizedTest
  @ValueSource(strings = {"PT0.5S", "PT18.5S", "P30D"})
  void jumpForward_isFollowedAtOnce(Duration by) {
    jump(by);
    pass(Duration.ofMillis(1));
    assertThat(clock.getAsLong()).isEqualTo(wall);
    assertThat(clock.stepsBack()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"PT0.5S", "PT18.5S", "PT59.9S"})
  void jumpBackByLessThanAMinute_isWaitedFor(Duration by) {
    long before = clock.getAsLong();
    jump(by.negated());
    for (long millis = 0; millis < by.toMillis(); millis += 100) {
      pass(Duration.ofMillis(100));
      assertThat(clock.getAsLong()).isBetween(before, before + 100 * MILLI);
    }
    pass(Duration.ofSeconds(1));
    assertThat(clock.getAsLong()).isEqualTo(wall);
    assertThat(clock.stepsBack()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"PT61S", "P30D"})
  void jumpBackByMore_isFollowedAndCounted(Duration by) {
    jump(by.negated());
    pass(Duration.ofMillis(1));
    assertThat(clock.getAsLong()).isEqualTo(wall);
    assertThat(clock.stepsBack()).isEqualTo(1);
    pass(Duration.ofHours(1));
    assertThat(clock.getAsLong()).isEqualTo(wall);
    assertThat(clock.stepsBack()).isEqualTo(1);
  }

  @Test
  void machineThatSlept_isRightWithItsFirstEvent() {
    nano += MILLI; // the monotonic clock stands while the machine sleeps
    wall += Duration.ofDays(30).toNanos();
    assertThat(clock.getAsLong()).isEqualTo(wall);
  }

  @Test
  void threadHeldUpWhileItLooks_changesNothing() {
    MonotonicClock held =
        new MonotonicClock(
            () -> nano,
            () -> {
              long read = wall;
              pass(Duration.ofMillis(heldUp ? 10 : 0));
              return read;
            });
    heldUp = true;
    pass(Duration.ofMillis(1));
    long read = wall;
    assertThat(held.getAsLong()).isEqualTo(read);
    heldUp = false;
    pass(Duration.ofMillis(1));
    assertThat(held.getAsLong()).isEqualTo(wall);
  }

  @Test
  void shard_keepsTimesRisingThroughShortJumpsAndLetsThemStepBackThroughLongOnes() {
    ShardManager manager =
        new ShardManager(
            1, 1024, BackpressureMode.FAIL_PRODUCER, null, ShardLimits.DEFAULT, clock, () -> nano);
    List<Long> told = new ArrayList<>();
    List<ShardEvent> got = new ArrayList<>();
    for (Duration jump :
        List.of(
            Duration.ZERO,
            Duration.ofSeconds(20),
            Duration.ofSeconds(-20),
            Duration.ofDays(30),
            Duration.ofDays(-30))) {
      jump(jump);
      pass(Duration.ofMillis(1));
      for (int i = 0; i < 10; i++) {
        IngestResult result = manager.ingestRaw(RawEvent.of("{}"));
        told.add(result.timestamp());
        pass(Duration.ofNanos(10));
      }
      got.addAll(manager.withShard(0, shard -> shard.popBatch(100)).orElseThrow());
    }
    for (int i = 1; i < got.size(); i++) {
      ShardEvent event = got.get(i);
      assertThat(event.sequence()).isEqualTo(i);
      if (i == 40) {
        assertThat(event.timestamp()).as("after 30 days back").isEqualTo(told.get(40));
      } else {
        assertThat(event.timestamp()).isGreaterThan(got.get(i - 1).timestamp());
      }
      assertThat(event.timestamp() - told.get(i)).as("raised ties").isBetween(0L, 20L);
    }
    assertThat(manager.clockStepsBack()).isEqualTo(1);
  }

  @Test
  void eventHeldUpOnItsWay_doesNotMakeTimesStepBack() {
    Shard shard =
        new Shard(0, 1024, BackpressureMode.FAIL_PRODUCER, 1 << 20, new ShardLedger(), () -> START);
    shard.main().offer(QueuedEvent.of(RawEvent.of("{}").buffer(), null, START, null), true);
    long old = START - Duration.ofMinutes(5).toNanos();
    shard.main().offer(QueuedEvent.of(RawEvent.of("{}").buffer(), null, old, null), true);
    assertThat(shard.popBatch(2))
        .extracting(ShardEvent::timestamp)
        .containsExactly(START, START + 1);
  }
}
