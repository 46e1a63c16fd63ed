package io.shardbus.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.IdOptions;
import io.shardbus.ShardBusOptions;
import io.shardbus.app.ClusterOptions;
import io.shardbus.delivery.BatchOptions;
import io.shardbus.delivery.RetryOptions;
import io.shardbus.event.Ack;
import io.shardbus.eventbus.EventBusPublisherOptions;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.gateway.TlsOptions;
import io.shardbus.gateway.TokenOptions;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.eventbus.EventBusSinkOptions;
import io.shardbus.sink.file.FileSinkOptions;
import io.shardbus.sink.http.HttpSinkOptions;
import io.shardbus.sink.jetstream.JetStreamSinkOptions;
import io.shardbus.sink.kafka.KafkaSinkOptions;
import io.shardbus.sink.log.LogSinkOptions;
import io.shardbus.sink.memory.MemorySinkOptions;
import io.shardbus.sink.redis.RedisSinkOptions;
import io.shardbus.sink.support.TlsClientOptions;
import io.vertx.core.json.JsonObject;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class OptionsTest {

  static List<Class<?>> optionClasses() {
    return List.of(
        ShardBusOptions.class,
        BatchOptions.class,
        RetryOptions.class,
        SinkOptions.class,
        GatewayOptions.class,
        TlsOptions.class,
        TokenOptions.class,
        MemorySinkOptions.class,
        LogSinkOptions.class,
        RedisSinkOptions.class,
        FileSinkOptions.class,
        HttpSinkOptions.class,
        TlsClientOptions.class,
        JetStreamSinkOptions.class,
        EventBusSinkOptions.class,
        KafkaSinkOptions.class,
        EventBusPublisherOptions.class,
        ClusterOptions.class,
        ScalingPolicy.class);
  }

  /** Changes every property, one at a time, and looks whether copy and JSON keep it. */
  @ParameterizedTest
  @MethodSource("optionClasses")
  void everyProperty_survivesCopyAndJson(Class<?> type) throws Exception {
    int seen = 0;
    for (Method setter : type.getMethods()) {
      if (!setter.getName().startsWith("set") || setter.getParameterCount() != 1) {
        continue;
      }
      String property = setter.getName().substring(3);
      Method getter =
          Arrays.stream(type.getMethods())
              .filter(m -> m.getParameterCount() == 0)
              .filter(m -> m.getName().matches("(get|is)" + property))
              .findFirst()
              .orElseThrow(() -> new AssertionError("no getter for " + property));
      Object options = type.getConstructor().newInstance();
      String before = OptionsJson.write(options).encode();
      setter.invoke(
          options,
          property.equals("AllowedOrigins")
              ? "https://other.example"
              : other(property, getter.invoke(options), setter.getParameterTypes()[0]));
      JsonObject json = OptionsJson.write(options);
      assertThat(json.encode()).as(property).isNotEqualTo(before);
      Object copy = type.getConstructor(type).newInstance(options);
      assertThat(OptionsJson.write(copy)).as("copy of %s", property).isEqualTo(json);
      Object read = type.getConstructor(JsonObject.class).newInstance(json);
      assertThat(type.getMethod("toJson").invoke(read)).as("JSON of %s", property).isEqualTo(json);
      seen++;
    }
    assertThat(seen).isPositive();
  }

  /** What the specs say is what the setters check, to the last unit. */
  @ParameterizedTest
  @MethodSource("optionClasses")
  void everyRange_isCheckedByItsSetter(Class<?> type) throws Exception {
    for (Method setter : type.getMethods()) {
      if (!setter.getName().startsWith("set") || setter.getParameterCount() != 1) {
        continue;
      }
      OptionSpec spec = setter.getAnnotation(OptionSpec.class);
      assertThat(spec).as(setter.toString()).isNotNull();
      assertThat(spec.value()).as(setter.toString()).isNotBlank();
      Class<?> takes = setter.getParameterTypes()[0];
      if (takes == Duration.class) {
        assertThat(spec.max()).as("%s: nanoseconds of it fit into a long", setter).isNotEmpty();
      }
      for (String edge : List.of(spec.min(), spec.max(), spec.above())) {
        if (edge.isEmpty()) {
          continue;
        }
        Object options = type.getConstructor().newInstance();
        boolean most = edge.equals(spec.max());
        if (takes == String.class) {
          assertRefused(options, setter, " ");
        } else {
          assertRefused(
              options,
              setter,
              edge.equals(spec.above()) ? at(edge, takes, 0) : at(edge, takes, most ? 1 : -1));
        }
        if (takes != String.class && !edge.equals(spec.above())) {
          setter.invoke(options, at(edge, takes, 0));
        }
      }
    }
  }

  private static void assertRefused(Object options, Method setter, Object value) {
    String property = setter.getName().substring(3);
    String name = property.substring(0, 1).toLowerCase(Locale.ROOT) + property.substring(1);
    assertThatThrownBy(() -> setter.invoke(options, value))
        .as("%s(%s)", setter, value)
        .cause()
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(name)
        .hasMessageContaining("must");
    JsonObject json =
        new JsonObject().put(name, value instanceof Duration ? value.toString() : value);
    assertThatThrownBy(() -> OptionsJson.read(options, json))
        .as("%s of %s", json, options.getClass())
        .message()
        .as("names the option once")
        .startsWith(name + ": ")
        .contains("must");
  }

  /** The edge, or what is next to it. */
  private static Object at(String edge, Class<?> type, int step) {
    if (type == Duration.class) {
      return Durations.parse(edge).plusNanos(step);
    }
    if (type == double.class) {
      return Double.parseDouble(edge) + step * 1e-9;
    }
    long value = Long.parseLong(edge) + step;
    return type == int.class ? (Object) Math.toIntExact(value) : (Object) value;
  }

  private static Object other(String property, Object value, Class<?> type) {
    if (value instanceof String server && server.startsWith("redis://")) {
      return "rediss://other:1";
    }
    if (property.equals("Url")) {
      return "https://other/x";
    }
    if (property.equals("Headers")) {
      return new JsonObject().put("A", "b");
    }
    if (type == HttpSinkOptions.Body.class) {
      return HttpSinkOptions.Body.single;
    }
    if (type == TlsClientOptions.class) {
      return new TlsClientOptions().setTrustStore("other");
    }
    if (value instanceof String servers && servers.endsWith(":9092")) {
      return "a:1, b:2";
    }
    if (value instanceof String servers && servers.startsWith("nats://")) {
      return "nats://a:1,tls://b:2";
    }
    if (type == int.class) {
      return property.equals("RingCapacity") ? 2048 : (int) value + 1;
    }
    if (type == long.class) {
      return (long) value + 1;
    }
    if (type == double.class) {
      return (double) value / 2;
    }
    if (type == boolean.class) {
      return !(boolean) value;
    }
    if (type == String.class) {
      return "other";
    }
    if (type == Duration.class) {
      return ((Duration) value).plusMillis(1);
    }
    if (type == BackpressureMode.class) {
      return BackpressureMode.sample(3);
    }
    if (type == ScalingPolicy.class) {
      return new ScalingPolicy().setMaxShards(77);
    }
    if (type == BatchOptions.class) {
      return new BatchOptions().setMinSize(77);
    }
    if (type == RetryOptions.class) {
      return new RetryOptions().setMaxAttempts(77);
    }
    if (type == SinkOptions.class) {
      return new SinkOptions("other").setConfig(new JsonObject().put("a", 1));
    }
    if (type == IdOptions.class) {
      return new IdOptions().setMaxBytes(1 << 20);
    }
    if (type == TlsOptions.class) {
      return new TlsOptions().setKey("other");
    }
    if (type == TokenOptions.class) {
      return new TokenOptions().setRead("other");
    }
    if (type == JsonObject.class) {
      return new JsonObject().put("deep", new JsonObject().put("b", true));
    }
    if (type == LogSinkOptions.Synchronous.class) {
      return LogSinkOptions.Synchronous.off;
    }
    if (type == KafkaSinkOptions.PartitionBy.class) {
      return KafkaSinkOptions.PartitionBy.shard;
    }
    if (type == Ack.class) {
      return Ack.DELIVERED;
    }
    throw new AssertionError("no other value for " + type);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"shard\":3}|unknown option \"shard\"|shards",
        "{\"batch\":{\"minsize\":3}}|unknown option \"batch.minsize\"|minSize",
        "{\"batch\":{\"minSize\":0}}|batch.minSize|1 to 1000000",
        "{\"batch\":{\"maxDelay\":10}}|batch.maxDelay|number with a unit",
        "{\"batch\":{\"maxDelay\":\"ten\"}}|batch.maxDelay|number with a unit",
        "{\"shards\":\"three\"}|shards|three",
        "{\"shards\":1.5}|shards|1.5",
        "{\"shards\":null}|shards|null",
        "{\"backpressure\":\"drop\"}|backpressure|drop-newest",
        "{\"scaling\":{\"fillRatioThreshold\":2}}|scaling.fillRatioThreshold|at most 1",
        "{\"sink\":{\"config\":[]}}|sink.config|JSON object"
      })
  void badJson_isNamed(String json, String path, String allowed) {
    assertThatThrownBy(() -> new ShardBusOptions(new JsonObject(json)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(path)
        .hasMessageContaining(allowed);
  }

  /** In SQLite 2 stands for full, and here it was the third value: off. */
  @Test
  void numberInPlaceOfAWord_isRefused() {
    assertThatThrownBy(() -> new LogSinkOptions(new JsonObject().put("synchronous", 2)))
        .hasMessage("option \"synchronous\": must be one of [full, normal, off], is 2");
  }

  @Test
  void contradictions_areNamed() {
    ScalingPolicy bad = new ScalingPolicy().setMinShards(10).setMaxShards(5);
    assertThatThrownBy(() -> new ShardBusOptions().setScaling(bad).validate())
        .hasMessageContaining("maxShards: 5 must be at least minShards, which is 10");
    assertThatThrownBy(() -> new ShardBusOptions().setMaxRingBytes(1).validate())
        .hasMessageContaining("maxRingBytes: 1");
    ShardBusOptions options = new ShardBusOptions();
    options.getBatch().setMaxSize(10);
    assertThatThrownBy(options::validate).hasMessageContaining("batch.minSize");
  }

  @ParameterizedTest
  @CsvSource({
    "250us,PT0.00025S",
    "10ms,PT0.01S",
    "30s,PT30S",
    "5m,PT5M",
    "2h,PT2H",
    "7d,PT168H",
    "0s,PT0S",
    "1500ms,PT1.5S",
    "3ns,PT0.000000003S"
  })
  void durations_readAndWrite(String text, Duration duration) {
    assertThat(Durations.parse(text)).isEqualTo(duration);
    assertThat(Durations.format(duration)).isEqualTo(text);
    assertThat(Durations.parse(duration.toString())).isEqualTo(duration);
  }
}
