package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import io.shardbus.sink.SinkOptions;
import io.vertx.core.Vertx;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** A bus that keeps nothing on the disk works where SQLite is not there. */
class NoNativeLibraryTest {

  /** Runs a bus without a data folder. */
  public static void main(String[] arguments) throws Exception {
    Vertx vertx = Vertx.vertx();
    ShardBus bus =
        ShardBus.start(vertx, new ShardBusOptions().setSink(new SinkOptions("memory"))).await();
    boolean accepted = bus.deliver(RawEvent.of("{}")).await().accepted();
    System.out.println(accepted + " " + bus.deadLetters().count().await());
    bus.close().await();
    vertx.close().await();
  }

  @Test
  void busInMemory_needsNoSqlite() throws Exception {
    String classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> !entry.contains("sqlite"))
            .collect(Collectors.joining(File.pathSeparator));
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classPath,
                NoNativeLibraryTest.class.getName())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    assertThat(output).contains("true 0");
  }
}
