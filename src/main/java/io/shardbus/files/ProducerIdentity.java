package io.shardbus.files;

import io.shardbus.event.ProducerId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the producer id in the data folder, and raises its epoch, durably, before the first event
 * of every start. So a restart never gives an event the id of an older one.
 *
 * <p>The file holds two copies, each a line in a block of its own. A start overwrites one after the
 * other in place, so that it needs no room on the disk. If a start is cut short, at most one copy
 * is damaged, and its checksum shows that. The other copy holds the old epoch or the new one, and
 * no higher epoch has been used. A file of one short line, the id and the epoch, is accepted too:
 * an operator can write it.
 */
final class ProducerIdentity {

  private static final String FILE = "producer";
  private static final int COPY_BYTES = 4096;
  private static final int ID_CHARS = 16;
  private static final Pattern SHORT = Pattern.compile("([0-9a-zA-Z-]{1,64}) (\\d{1,18})\\s*");
  private static final Pattern COPY =
      Pattern.compile("(([0-9a-zA-Z-]{1,64}) (\\d{1,18})) ([0-9a-f]{8}) *\n");

  private ProducerIdentity() {}

  /**
   * Blocks. The folder must exist, and no other bus may use it: two buses must not have the same
   * epoch. Without a folder the id itself is new at every start.
   */
  static ProducerId next(@Nullable Path dataDir) throws IOException {
    if (dataDir == null) {
      return new ProducerId(randomId(), 0);
    }
    Path file = dataDir.resolve(FILE);
    String found =
        Files.exists(file)
            ? new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1)
            : randomId() + " 0";
    ProducerId last = last(found);
    if (last == null) {
      throw new IOException(
          file + " is damaged: it must hold the producer's id and epoch, such as \"k3f2a9... 7\"");
    }
    ProducerId next = new ProducerId(last.id(), last.epoch() + 1);
    try {
      write(file, copy(next), found.length() == 2 * COPY_BYTES);
    } catch (IOException e) {
      throw FileFault.of("dataDir: cannot write " + file, e);
    }
    return next;
  }

  /** Short, because every event carries it; 82 random bits never meet again. */
  private static String randomId() {
    SecureRandom random = new SecureRandom();
    return random
        .ints(ID_CHARS, 0, Character.MAX_RADIX)
        .mapToObj(digit -> Integer.toString(digit, Character.MAX_RADIX))
        .collect(Collectors.joining());
  }

  private static void write(Path file, String copy, boolean inPlace) throws IOException {
    if (inPlace) {
      DurableFile.overwrite(file, 0, copy);
      DurableFile.overwrite(file, COPY_BYTES, copy);
    } else {
      DurableFile.write(file, copy + copy);
    }
  }

  private static @Nullable ProducerId last(String found) {
    if (found.length() != 2 * COPY_BYTES) {
      Matcher matcher = SHORT.matcher(found);
      return matcher.matches() ? id(matcher.group(1), matcher.group(2)) : null;
    }
    ProducerId first = check(found.substring(0, COPY_BYTES));
    ProducerId second = check(found.substring(COPY_BYTES));
    return first == null || (second != null && second.epoch() > first.epoch()) ? second : first;
  }

  private static @Nullable ProducerId check(String copy) {
    Matcher matcher = COPY.matcher(copy);
    return matcher.matches() && sum(matcher.group(1)).equals(matcher.group(4))
        ? id(matcher.group(2), matcher.group(3))
        : null;
  }

  private static ProducerId id(String id, String epoch) {
    return new ProducerId(id, Long.parseLong(epoch));
  }

  private static String copy(ProducerId producer) {
    String text = producer.id() + " " + producer.epoch();
    return String.format(Locale.ROOT, "%-" + (COPY_BYTES - 1) + "s\n", text + " " + sum(text));
  }

  private static String sum(String text) {
    CRC32 crc = new CRC32();
    crc.update(text.getBytes(StandardCharsets.US_ASCII));
    return String.format(Locale.ROOT, "%08x", crc.getValue());
  }
}
