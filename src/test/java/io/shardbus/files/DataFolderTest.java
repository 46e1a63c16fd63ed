package io.shardbus.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.ProducerId;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.sink.SinkOptions;
import io.shardbus.testing.AckingProcess;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a bus keeps in its data folder, and that it shares it with no other. */
class DataFolderTest {

  @TempDir Path dir;
  private final Vertx vertx = Vertx.vertx();

  @AfterEach
  void close() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private Path data() {
    return dir.resolve("data");
  }

  private ShardBusOptions options() {
    return new ShardBusOptions().setShards(1).setRouters(0).setDataDir(data().toString());
  }

  private Future<ShardBus> start() {
    return ShardBus.start(vertx, options(), new RecordingSink());
  }

  private ProducerId open() throws Exception {
    try (DataFolder folder = DataFolder.open(data().toString())) {
      return folder.producer();
    }
  }

  private long epoch() throws Exception {
    return Long.parseLong(Files.readString(data().resolve("producer")).split(" ", 3)[1]);
  }

  @Test
  void everyStart_raisesTheEpochOfTheSameProducer() throws Exception {
    ProducerId first = open();
    assertThat(first.epoch()).isEqualTo(1);
    assertThat(open()).isEqualTo(new ProducerId(first.id(), 2));
    assertThat(open()).isEqualTo(new ProducerId(first.id(), 3));
    assertThat(data().resolve("producer")).content().startsWith(first.id() + " 3 ");
  }

  /** A start that is cut short leaves a copy damaged; the next one goes on from the other. */
  @ParameterizedTest
  @ValueSource(longs = {0, 4096})
  void tornCopy_isRecognised(long copy) throws Exception {
    ProducerId first = open();
    open();
    Path file = data().resolve("producer");
    byte[] sound = Files.readAllBytes(file);
    for (int cut : new int[] {0, 1, 37, 38, 40, 46, 47, 500, 4095}) {
      byte[] torn = sound.clone();
      Arrays.fill(torn, (int) copy + cut, (int) copy + 4096, (byte) 0);
      Files.write(file, torn);
      assertThat(open()).isEqualTo(new ProducerId(first.id(), 3));
      assertThat(open()).isEqualTo(new ProducerId(first.id(), 4));
    }
  }

  /** Each start overwrites the first copy before the second one. */
  @Test
  void startThatIsCutShortBetweenTheCopies_isNotRepeated() throws Exception {
    ProducerId first = open();
    Path file = data().resolve("producer");
    byte[] before = Files.readAllBytes(file);
    open();
    byte[] between = Files.readAllBytes(file);
    System.arraycopy(before, 4096, between, 4096, 4096);
    Files.write(file, between);
    assertThat(open()).isEqualTo(new ProducerId(first.id(), 3));
  }

  @Test
  void copyThatIsAltered_isNotTaken() throws Exception {
    ProducerId first = open();
    Path file = data().resolve("producer");
    String text = Files.readString(file);
    Files.writeString(file, text.replaceFirst(" 1 ", " 9 "));
    assertThat(open()).isEqualTo(new ProducerId(first.id(), 2));
    Files.writeString(file, text.replace(" 1 ", " 9 "));
    assertThatThrownBy(this::open).hasMessageContaining(file + " is damaged");
  }

  @Test
  void idAndEpochOfAnOperator_areTaken() throws Exception {
    Files.createDirectories(data());
    Files.writeString(data().resolve("producer"), "my-own 41\n");
    assertThat(open()).isEqualTo(new ProducerId("my-own", 42));
    assertThat(open()).isEqualTo(new ProducerId("my-own", 43));
  }

  @Test
  void withoutAFolder_everyStartIsAnotherProducer() throws Exception {
    try (DataFolder one = DataFolder.open(null);
        DataFolder other = DataFolder.open(null)) {
      assertThat(one.producer().id()).isNotEqualTo(other.producer().id());
      assertThat(one.path()).isNull();
    }
  }

  @Test
  void damagedIdentity_isRefusedAndLeftAsItIs() throws Exception {
    open();
    Path file = data().resolve("producer");
    for (String damaged : new String[] {"", "x", "abc -1", "abc 12345678901234567890"}) {
      Files.writeString(file, damaged);
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(this::open)
            .hasMessageContaining(file + " is damaged")
            .hasMessageContaining("producer's id and epoch");
      }
      assertThat(file).hasContent(damaged);
    }
  }

  @Test
  void folderOfAnotherBus_isRefusedUntilThatIsClosed() throws Exception {
    ShardBus bus = await(start());
    Path other = Files.createSymbolicLink(dir.resolve("link"), data());
    for (Path name : new Path[] {data(), other}) {
      ShardBusOptions same = options().setDataDir(name.toString()).setAddress("other");
      assertThatThrownBy(() -> await(ShardBus.start(vertx, same, new RecordingSink())))
          .cause()
          .hasMessageContaining("dataDir: the folder " + name + " is in use");
    }
    assertThat(epoch()).isEqualTo(1);
    await(bus.close());
    await(await(start()).close());
    assertThat(epoch()).isEqualTo(2);
  }

  @Test
  void failedStart_leavesTheFolderFree() throws Exception {
    ShardBusOptions bad =
        options()
            .setSink(
                new SinkOptions("log")
                    .setConfig(
                        new JsonObject().put("dir", Files.createFile(dir.resolve("f")) + "/x")));
    assertThatThrownBy(() -> await(ShardBus.start(vertx, bad)))
        .cause()
        .hasMessageContaining("cannot make the folder");
    await(await(start()).close());
  }

  @Test
  void folderOfAnotherProcess_isRefusedUntilThatIsGone() throws Exception {
    Path acks = dir.resolve("acks");
    Process process = AckingProcess.start(data(), 0, acks, dir.resolve("errors"));
    try {
      Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> Files.size(acks) > 0);
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(() -> await(start()))
            .cause()
            .hasMessageContaining("dataDir: the folder " + data() + " is in use");
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
    await(await(start()).close());
  }
}
