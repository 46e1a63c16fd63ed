package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.ProducerId;
import io.shardbus.sink.SinkOptions;
import io.shardbus.testing.AckingProcess;
import io.shardbus.testing.RecordingSink;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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

  @Test
  void everyStart_raisesTheEpochOfTheSameProducer() throws Exception {
    ProducerId first = open();
    assertThat(first.epoch()).isEqualTo(1);
    assertThat(open()).isEqualTo(new ProducerId(first.id(), 2));
    assertThat(open()).isEqualTo(new ProducerId(first.id(), 3));
    assertThat(data().resolve("producer")).hasContent(first.id() + " 3");
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
      ShardBusOptions same = options().setDataDir(name.toString());
      assertThatThrownBy(() -> await(ShardBus.start(vertx, same, new RecordingSink())))
          .cause()
          .hasMessageContaining("dataDir: the folder " + name + " is in use");
    }
    assertThat(Files.readString(data().resolve("producer"))).endsWith(" 1\n");
    await(bus.close());
    await(await(start()).close());
    assertThat(Files.readString(data().resolve("producer"))).endsWith(" 2\n");
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
