package io.shardbus.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.DeadLetter;
import io.shardbus.sink.DeadLetters;
import io.shardbus.testing.Attributes;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeadLetterStoreTest {

  @TempDir Path folder;

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private static DeadLetter letter(int sequence) {
    return new DeadLetter(
        new ProducerId("p", 7),
        new ShardEvent(
            3,
            sequence,
            1_000L + sequence,
            Buffer.buffer(new byte[] {0, (byte) sequence, -1}),
            sequence % 2 == 0 ? null : "key " + sequence),
        "no \u00e9 please",
        5,
        1_764_000_000_000_000_000L);
  }

  private static List<DeadLetter> letters(int from, int to) {
    List<DeadLetter> all = new ArrayList<>();
    for (int i = from; i < to; i++) {
      all.add(letter(i));
    }
    return all;
  }

  private static List<DeadLetter> largeLetters(int count) {
    List<DeadLetter> large = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ShardEvent event = new ShardEvent(0, i, i, Buffer.buffer(new byte[1 << 20]), null);
      large.add(new DeadLetter(new ProducerId("p", 7), event, "too large", 1, 1));
    }
    return large;
  }

  private static List<DeadLetter> read(DeadLetterStore letters, long after, int limit)
      throws Exception {
    return await(letters.list(after, limit)).stream().map(DeadLetters.Kept::letter).toList();
  }

  @Test
  void letters_areReadBackAsTheyWere() throws Exception {
    DeadLetterStore letters = await(DeadLetterStore.open(folder));
    await(letters.add(letters(0, 10)));
    assertThat(read(letters, 0, 100)).isEqualTo(letters(0, 10));
    await(letters.close());
    await(letters.close());
    assertThatThrownBy(() -> await(letters.count())).cause().hasMessageContaining("closed");

    DeadLetterStore again = await(DeadLetterStore.open(folder));
    assertThat(await(again.count())).isEqualTo(10);
    long third = await(again.list(0, 3)).get(2).id();
    assertThat(read(again, third, 4)).isEqualTo(letters(3, 7));
    await(again.close());
  }

  @Test
  void attributes_areReadBackAsTheyWere() throws Exception {
    List<DeadLetter> all =
        Attributes.events(1, 7).stream()
            .map(event -> new DeadLetter(new ProducerId("p", 7), event, "no", 1, 1))
            .toList();
    for (Path where : new Path[] {folder, null}) {
      DeadLetterStore letters = await(DeadLetterStore.open(where));
      await(letters.add(all));
      assertThat(read(letters, 0, 100)).isEqualTo(all);
      await(letters.close());
    }
  }

  @Test
  void fileOfAnotherFormat_isRefusedAndLeftAsItIs() throws Exception {
    Path file = folder.resolve(DeadLetterStore.FILE);
    try (Connection earlier = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = earlier.createStatement()) {
      statement.execute("CREATE TABLE letters (id INTEGER PRIMARY KEY, key TEXT)");
    }
    byte[] before = Files.readAllBytes(file);
    assertThatThrownBy(() -> await(DeadLetterStore.open(folder)))
        .cause()
        .hasMessageContaining(file + ": it has format 1, and this version uses format 2");
    assertThat(Files.readAllBytes(file)).isEqualTo(before);
    assertThat(folder.resolve(DeadLetterStore.FILE + "-wal")).doesNotExist();
  }

  @Test
  void repeatedLetters_areThereOnce() throws Exception {
    DeadLetterStore letters = await(DeadLetterStore.open(folder));
    await(letters.add(letters(0, 5)));
    await(letters.add(letters(3, 8)));
    assertThat(read(letters, 0, 100)).isEqualTo(letters(0, 8));
    await(letters.close());
  }

  @Test
  void removedIds_areNotGivenAgain() throws Exception {
    DeadLetterStore letters = await(DeadLetterStore.open(folder));
    await(letters.add(letters(0, 3)));
    long last = await(letters.lastId());
    assertThat(await(letters.remove(List.of(last, last + 5)))).isEqualTo(1);
    await(letters.add(letters(3, 4)));
    assertThat(await(letters.lastId())).isGreaterThan(last);
    await(letters.close());
  }

  @Test
  void memory_keepsTheNewest() throws Exception {
    DeadLetterStore letters = await(DeadLetterStore.open(null));
    await(letters.add(letters(0, DeadLetterStore.MAX_IN_MEMORY)));
    await(letters.add(letters(DeadLetterStore.MAX_IN_MEMORY, DeadLetterStore.MAX_IN_MEMORY + 5)));
    assertThat(letters.kept()).isEqualTo(DeadLetterStore.MAX_IN_MEMORY);
    assertThat(await(letters.count())).isEqualTo(DeadLetterStore.MAX_IN_MEMORY);
    assertThat(read(letters, 0, 1).get(0).event().sequence()).isEqualTo(5);
    await(letters.close());
  }

  @Test
  void kept_isWhatIsThere() throws Exception {
    for (Path where : new Path[] {folder, null}) {
      DeadLetterStore letters = await(DeadLetterStore.open(where));
      await(letters.add(letters(0, 10)));
      await(letters.add(letters(5, 15))); // five of them again
      assertThat(letters.kept()).isEqualTo(15).isEqualTo(await(letters.count()));
      long first = await(letters.list(0, 1)).get(0).id();
      assertThat(await(letters.remove(List.of(first, first, 4_711L)))).isEqualTo(1);
      assertThat(letters.kept()).isEqualTo(14);
      if (where != null) {
        await(letters.close());
        letters = await(DeadLetterStore.open(where));
        assertThat(letters.kept()).as("after a restart").isEqualTo(14);
      }
      assertThat(await(letters.removeAll())).isEqualTo(14);
      assertThat(letters.kept()).isZero();
      assertThat(await(letters.list(0, 1))).isEmpty();
      await(letters.close());
    }
  }

  @Test
  void memory_isBoundedInBytes() throws Exception {
    DeadLetterStore letters = await(DeadLetterStore.open(null));
    for (DeadLetter each : largeLetters(100)) {
      await(letters.add(List.of(each)));
    }
    assertThat(await(letters.count())).isEqualTo(DeadLetterStore.MAX_BYTES_IN_MEMORY >> 20);
    assertThat(read(letters, 0, 1).get(0).event().sequence()).isEqualTo(36);
    await(letters.close());
  }

  @Test
  void pages_endWhenTheyGrowLarge() throws Exception {
    DeadLetterStore letters = await(DeadLetterStore.open(folder));
    List<DeadLetter> large = largeLetters(20);
    await(letters.add(large));
    List<DeadLetters.Kept> page = await(letters.list(0, 100));
    assertThat(page).hasSize(8);
    assertThat(read(letters, page.get(7).id(), 100)).isEqualTo(large.subList(8, 16));
    await(letters.close());
  }

  @Test
  void damagedFile_isSetAsideHoweverOften() throws Exception {
    for (String aside : new String[] {".damaged", ".damaged-2", ".damaged-3"}) {
      Files.writeString(folder.resolve(DeadLetterStore.FILE), "this is no database ".repeat(500));
      DeadLetterStore letters = await(DeadLetterStore.open(folder));
      await(letters.add(letters(0, 1)));
      assertThat(letters.kept()).isEqualTo(1);
      assertThat(await(letters.count())).isEqualTo(1);
      assertThat(folder.resolve(DeadLetterStore.FILE + aside)).content().startsWith("this is no");
      await(letters.close());
    }
  }

  @Test
  void fileThatIsDamagedWhileItIsOpen_isSetAside() throws Exception {
    DeadLetterStore letters = await(DeadLetterStore.open(folder));
    await(letters.add(largeLetters(20)));
    await(letters.close());
    letters = await(DeadLetterStore.open(folder));
    try (RandomAccessFile file =
        new RandomAccessFile(folder.resolve(DeadLetterStore.FILE).toFile(), "rw")) {
      file.seek(4096);
      file.write(new byte[(int) file.length() - 4096]);
    }
    await(letters.add(letters(0, 3)));
    assertThat(read(letters, 0, 100)).isEqualTo(letters(0, 3));
    assertThat(folder.resolve(DeadLetterStore.FILE + ".damaged")).exists();
    await(letters.close());
  }

  @Test
  void unusableFolder_isNamed() {
    Path missing = folder.resolve("missing");
    assertThatThrownBy(() -> await(DeadLetterStore.open(missing)))
        .cause()
        .hasMessageContaining("dead letters: cannot use")
        .hasMessageContaining("missing");
  }
}
