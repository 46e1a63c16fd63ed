package io.shardbus;

import io.shardbus.event.ProducerId;
import io.shardbus.sink.DurableFile;
import io.shardbus.sink.FileFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the producer id in the data folder, and raises its epoch, durably, before the first event
 * of every start. So a restart never gives an event the id of an older one.
 */
final class ProducerIdentity {

  private static final String FILE = "producer";
  private static final Pattern CONTENT = Pattern.compile("([0-9a-zA-Z-]{1,64}) (\\d{1,18})\\s*");

  private ProducerIdentity() {}

  /**
   * Blocks. The folder must be there, and this bus's alone: two must not have the same epoch.
   * Without a folder the id itself is new at every start.
   */
  static ProducerId next(@Nullable Path dataDir) throws IOException {
    if (dataDir == null) {
      return new ProducerId(UUID.randomUUID().toString(), 0);
    }
    Path file = dataDir.resolve(FILE);
    ProducerId next =
        Files.exists(file) ? after(file) : new ProducerId(UUID.randomUUID().toString(), 1);
    try {
      DurableFile.write(file, next.id() + " " + next.epoch() + "\n");
    } catch (IOException e) {
      throw FileFault.of("dataDir: cannot write " + file, e);
    }
    return next;
  }

  private static ProducerId after(Path file) throws IOException {
    String text = Files.readString(file);
    Matcher matcher = CONTENT.matcher(text);
    if (!matcher.matches()) {
      throw new IOException(
          file + " is damaged: it must hold the producer's id and epoch, such as \"3f2a-... 7\"");
    }
    return new ProducerId(matcher.group(1), Long.parseLong(matcher.group(2)) + 1);
  }
}
