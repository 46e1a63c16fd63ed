package io.shardbus.sink.support;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A cursor over several streams: the last position that was read of each. To clients it is opaque
 * text, safe in a URL.
 *
 * @param positions the last position read, by the name of the stream; a stream without an entry was
 *     not read yet
 */
public record PositionCursor(SortedMap<String, Long> positions) {

  /** Nothing was read yet. */
  public static final PositionCursor BEGINNING =
      new PositionCursor(Collections.unmodifiableSortedMap(new TreeMap<>()));

  private static final String VERSION = "1";

  /** The name under which a cursor holds the number of its store. */
  private static final String STORE = "store";

  /** Beyond what a URL can hold: about 50,000 streams. */
  private static final int MAX_TEXT = 2 << 20;

  private static final Pattern KIND = Pattern.compile("\\w{1,32}");
  private static final Pattern ENTRY = Pattern.compile("([0-9a-z-]{1,64})=(\\d{1,18})");

  /**
   * Reads a cursor that {@link #format} wrote.
   *
   * @param text the cursor; null for the beginning
   * @param sink the sink to which it must belong
   * @return the positions
   * @throws IllegalArgumentException if the text is no cursor, or is of another sink
   */
  public static PositionCursor parse(@Nullable String text, String sink) {
    if (text == null) {
      return BEGINNING;
    }
    TreeMap<String, Long> positions = new TreeMap<>();
    String content = content(text);
    int semicolon = content.indexOf(';');
    if (semicolon < 0 || !KIND.matcher(content.substring(0, semicolon)).matches()) {
      throw malformed(text);
    }
    if (!content.substring(0, semicolon).equals(VERSION + sink)) {
      throw new IllegalArgumentException(
          "cursor: \"" + shown(text) + "\" is of another sink or version, not of " + sink);
    }
    String list = content.substring(semicolon + 1);
    if (!list.isEmpty()) {
      for (String entry : list.split(",", -1)) {
        Matcher parts = ENTRY.matcher(entry);
        if (!parts.matches()) {
          throw malformed(text);
        }
        positions.put(parts.group(1), Long.parseLong(parts.group(2)));
      }
    }
    return new PositionCursor(positions);
  }

  private static String content(String text) {
    if (text.length() > MAX_TEXT) {
      throw malformed(text);
    }
    try {
      return new String(Base64.getUrlDecoder().decode(text), StandardCharsets.US_ASCII);
    } catch (IllegalArgumentException e) {
      throw malformed(text);
    }
  }

  private static IllegalArgumentException malformed(String text) {
    return new IllegalArgumentException(
        "cursor: \"" + shown(text) + "\" is malformed: use the cursor of a page as it was given");
  }

  private static String shown(String text) {
    return text.length() <= 80 ? text : text.substring(0, 80) + "...";
  }

  /**
   * This cursor, checked against a store. If a store is created again, its positions begin again,
   * and a cursor of the earlier store says nothing about it.
   *
   * @param store the number of the store, which no earlier store had; not negative, at most 18
   *     digits
   * @return this cursor if it belongs to the store, else a cursor at the beginning of the store
   */
  public PositionCursor in(long store) {
    return position(STORE) == store
        ? this
        : new PositionCursor(new TreeMap<>(Map.of(STORE, store)));
  }

  /** {@return whether nothing was read yet, so that reading begins at the oldest event} */
  public boolean isBeginning() {
    return positions.isEmpty() || positions.keySet().equals(Set.of(STORE));
  }

  /** {@return a random number for a new store, for {@link #in}} */
  public static long newStore() {
    return ThreadLocalRandom.current().nextLong(1, 1_000_000_000_000_000_000L);
  }

  /**
   * A cursor with a new position in one stream.
   *
   * @param stream its name
   * @param position the last position read
   * @return the new cursor
   */
  public PositionCursor at(String stream, long position) {
    TreeMap<String, Long> moved = new TreeMap<>(positions);
    moved.put(stream, position);
    return new PositionCursor(moved);
  }

  /**
   * Where to go on in a stream.
   *
   * @param stream its name
   * @return the last position read; 0 if none was
   */
  public long position(String stream) {
    return positions.getOrDefault(stream, 0L);
  }

  /**
   * Writes the cursor.
   *
   * @param sink the sink to which it belongs
   * @return opaque text
   */
  public String format(String sink) {
    String list =
        positions.entrySet().stream()
            .map((Map.Entry<String, Long> e) -> e.getKey() + "=" + e.getValue())
            .collect(Collectors.joining(","));
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString((VERSION + sink + ";" + list).getBytes(StandardCharsets.US_ASCII));
  }
}
