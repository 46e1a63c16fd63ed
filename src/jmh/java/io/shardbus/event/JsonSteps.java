package io.shardbus.event;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What it costs to check an event with its depth, and to find its key: by the code of Shardbus, and
 * by the blocking streaming parser of Jackson, which checks less.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(jvmArgs = {"-Xms1g", "-Xmx1g", "-XX:+AlwaysPreTouch"})
public class JsonSteps {

  /** Events as clients send them. */
  public enum Sample {
    /** A reading of a sensor. */
    READING {
      @Override
      String json() {
        return "{\"user\":{\"id\":\"sensor-0042\"},\"time\":\"2026-11-29T16:05:12.345Z\","
            + "\"temperature\":21.5,\"humidity\":48,\"ok\":true}";
      }
    },
    /** An order with 12 lines, and text that is not ASCII. */
    ORDER {
      @Override
      String json() {
        StringBuilder json = new StringBuilder("{\"order\":\"8d1f\",\"lines\":[");
        for (int i = 0; i < 12; i++) {
          json.append("{\"article\":\"Größe ").append(i).append("\",\"count\":").append(i);
          json.append(",\"price\":{\"amount\":19.90,\"currency\":\"EUR\"},\"note\":null},");
        }
        json.setLength(json.length() - 1);
        return json.append("],\"user\":{\"name\":\"Zoë\",\"id\":\"u-17\"}}").toString();
      }
    },
    /** A long text with line breaks. */
    LOG_RECORD {
      @Override
      String json() {
        return "{\"level\":\"ERROR\",\"user\":{\"id\":7},\"trace\":\""
            + "at io.shardbus.shard.Shard.offer(Shard.java:42)\\n".repeat(40)
            + "\"}";
      }
    },
    /** 40 levels. */
    DEEP {
      @Override
      String json() {
        return nested(40);
      }
    },
    /** 100 levels, which the parser checks in any case. */
    DEEPER {
      @Override
      String json() {
        return nested(100);
      }
    };

    abstract String json();

    private static String nested(int levels) {
      return "{\"user\":{\"id\":\"u\"},\"tree\":"
          + "[".repeat(levels - 1)
          + "]".repeat(levels - 1)
          + "}";
    }
  }

  /** An event. */
  @State(Scope.Thread)
  public static class Input {

    private static final JsonFactory FACTORY = new JsonFactory();

    @Param Sample event;

    private final KeyPath path = KeyPath.of("user.id");
    private Buffer buffer;
    private byte[] array;

    @Setup
    public void write() {
      buffer = Buffer.buffer(event.json());
      array = buffer.getBytes();
    }
  }

  @Benchmark
  public void check(Input input) {
    JsonCheck.DEFAULT.require(input.buffer);
  }

  @Benchmark
  public int checkByJackson(Input input) throws IOException {
    int depth = 0;
    int most = 0;
    try (JsonParser parser = Input.FACTORY.createParser(input.array)) {
      for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
        if (token.isStructStart()) {
          most = Math.max(most, ++depth);
        } else if (token.isStructEnd()) {
          depth--;
        }
      }
    }
    return most;
  }

  @Benchmark
  public String key(Input input) {
    return input.path.in(input.buffer);
  }

  @Benchmark
  public String keyByJackson(Input input) throws IOException {
    String key = null;
    try (JsonParser parser = Input.FACTORY.createParser(input.array)) {
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        boolean user = parser.currentName().equals("user");
        if (parser.nextToken() != JsonToken.START_OBJECT || !user) {
          parser.skipChildren();
          continue;
        }
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          boolean id = parser.currentName().equals("id");
          if (parser.nextToken().isScalarValue() && id) {
            key = parser.getText();
          } else {
            parser.skipChildren();
          }
        }
      }
    }
    return key;
  }
}
