package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScalingPolicyTest {

  @ParameterizedTest
  @ValueSource(
      doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0, -0.1, 1.1})
  void ratios_areChecked(double bad) {
    ScalingPolicy policy = new ScalingPolicy();
    assertThatThrownBy(() -> policy.setFillRatioThreshold(bad))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("fillRatioThreshold: " + bad);
    assertThatThrownBy(() -> policy.setUnderutilizedThreshold(bad))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void ranges_areChecked() {
    ScalingPolicy policy = new ScalingPolicy();
    assertThatThrownBy(() -> policy.setMinShards(0)).hasMessageContaining("minShards: 0");
    assertThatThrownBy(() -> policy.setMaxShards(65_536)).hasMessageContaining("65535");
    assertThatThrownBy(() -> policy.setPushLatencyThresholdNanos(0))
        .hasMessageContaining("pushLatencyThresholdNanos: 0");
    assertThatThrownBy(() -> policy.setCooldown(Duration.ofSeconds(-1)))
        .hasMessageContaining("cooldown");
    assertThatThrownBy(() -> policy.setMetricsWindow(Duration.ZERO))
        .hasMessageContaining("metricsWindow");
  }

  @Test
  void contradictions_areRefused() {
    assertThatThrownBy(() -> new ScalingPolicy().setMinShards(5).setMaxShards(4).validate())
        .isInstanceOfSatisfying(
            ScalingException.class,
            e -> assertThat(e.reason()).isEqualTo(ScalingException.Reason.INVALID_POLICY));
    assertThatThrownBy(
            () ->
                new ScalingPolicy()
                    .setFillRatioThreshold(0.2)
                    .setUnderutilizedThreshold(0.3)
                    .validate())
        .isInstanceOf(ScalingException.class);
  }

  @Test
  void normalize_liftsTheMaximum() {
    ScalingPolicy policy = new ScalingPolicy().setMinShards(5).setMaxShards(4).normalize();
    assertThat(policy.getMaxShards()).isEqualTo(5);
    policy.validate();
  }

  @Test
  void presets_areValid() {
    ScalingPolicy.defaults(1).validate();
    ScalingPolicy.highThroughput().validate();
    ScalingPolicy.conservative().validate();
  }

  @Test
  void modes_readWhatTheyWrite() {
    for (BackpressureMode mode :
        new BackpressureMode[] {
          BackpressureMode.DROP_NEWEST,
          BackpressureMode.DROP_OLDEST,
          BackpressureMode.FAIL_PRODUCER,
          BackpressureMode.sample(10)
        }) {
      assertThat(BackpressureMode.parse(mode.toString())).isEqualTo(mode);
    }
    assertThatThrownBy(() -> BackpressureMode.parse("sample(0)"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> BackpressureMode.parse("drop"))
        .hasMessageContaining("drop-newest, drop-oldest");
  }
}
