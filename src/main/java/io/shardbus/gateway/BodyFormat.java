package io.shardbus.gateway;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What the body of a request is that sends events. */
enum BodyFormat {
  /** One JSON value. */
  EVENT(Pages.JSON, true),
  /** A JSON value a line. */
  LINES("application/x-ndjson", false);

  private final String media;
  private final boolean one;

  BodyFormat(String media, boolean one) {
    this.media = media;
    this.one = one;
  }

  /** Null if the media type is not supported. */
  static @Nullable BodyFormat of(String media) {
    for (BodyFormat format : values()) {
      if (format.media.equals(media)) {
        return format;
      }
    }
    return null;
  }

  /** The supported media types, for people. */
  static String all() {
    return Arrays.stream(values()).map(format -> format.media).collect(Collectors.joining(", "));
  }

  /** Whether the body has one event. */
  boolean isOne() {
    return one;
  }
}
