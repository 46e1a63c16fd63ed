package io.shardbus.gateway;

import io.shardbus.event.ArraySplitter;
import io.shardbus.event.EventSplitter;
import io.shardbus.event.LineSplitter;
import io.vertx.core.MultiMap;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What the body of a request is that sends events. */
enum BodyFormat {
  /** One JSON value. */
  EVENT(MediaTypes.JSON, true),
  /** A JSON value a line. */
  LINES(MediaTypes.NDJSON, false),
  /** An event with its key, its id and its headers a line. */
  ENVELOPES(MediaTypes.ENVELOPES, false),
  /** A CloudEvent in structured mode. */
  CLOUD_EVENT(MediaTypes.CLOUD_EVENT, true),
  /** CloudEvents in batched mode. */
  CLOUD_EVENTS(MediaTypes.CLOUD_EVENTS, false),
  /** A JSON array of such values, if the request asks to split it. */
  ARRAY("", false),
  /** A CloudEvent in binary mode: any data, of any media type. */
  BINARY_CLOUD_EVENT("", true);

  /** What surrounds an event in JSON, besides its bytes: its key, its id and its headers. */
  private static final int AROUND_BYTES = 128 << 10;

  /** What JSON makes of a control character in a text. */
  private static final int ESCAPED_BYTES = 6;

  private final String media;
  private final boolean one;

  BodyFormat(String media, boolean one) {
    this.media = media;
    this.one = one;
  }

  /**
   * Null if the media type is not supported.
   *
   * @param array the parameter that says what a JSON array is; null for one event
   * @throws IllegalArgumentException if there is no such parameter for this media type
   */
  static @Nullable BodyFormat of(String media, MultiMap headers, @Nullable String array) {
    BodyFormat format = of(media, headers);
    if (array == null) {
      return format;
    }
    if (format != EVENT || !array.equals("split")) {
      throw new IllegalArgumentException(
          "array: \"" + array + "\" must be split, and the content type " + MediaTypes.JSON);
    }
    return ARRAY;
  }

  private static @Nullable BodyFormat of(String media, MultiMap headers) {
    if (!media.startsWith("application/cloudevents") && BinaryCloudEventReader.isMeant(headers)) {
      return BINARY_CLOUD_EVENT;
    }
    for (BodyFormat format : values()) {
      if (!media.isEmpty() && format.media.equals(media)) {
        return format;
      }
    }
    return null;
  }

  /**
   * What the messages of a WebSocket are. A browser cannot say it by a media type.
   *
   * @throws IllegalArgumentException if there is no such format
   */
  static BodyFormat ofMessages(@Nullable String format) {
    if (format == null || format.equals("json")) {
      return LINES;
    }
    if (format.equals("envelope")) {
      return ENVELOPES;
    }
    throw new IllegalArgumentException("format: \"" + format + "\" must be json or envelope");
  }

  /** The supported media types, for people. */
  static String all() {
    return Arrays.stream(values())
        .map(format -> format.media)
        .filter(media -> !media.isEmpty())
        .collect(Collectors.joining(", "));
  }

  /** Whether the body has one event. */
  boolean isOne() {
    return one;
  }

  boolean isCloudEvent() {
    return this == CLOUD_EVENT || this == CLOUD_EVENTS || this == BINARY_CLOUD_EVENT;
  }

  /** The most bytes that the body may have for an event. */
  int maxBytes(int maxEventBytes) {
    boolean wrapped = this == ENVELOPES || this == CLOUD_EVENT || this == CLOUD_EVENTS;
    long most = wrapped ? (long) ESCAPED_BYTES * maxEventBytes + AROUND_BYTES : maxEventBytes;
    return (int) Math.min(Integer.MAX_VALUE - 8, most);
  }

  /** For the events of a body that has several. */
  EventSplitter splitter(int maxEventBytes) {
    return isArray()
        ? new ArraySplitter(maxBytes(maxEventBytes))
        : new LineSplitter(maxBytes(maxEventBytes));
  }

  /** The word for the place of an event in the body. */
  String place() {
    return isArray() ? "event" : "line";
  }

  /** Whether the body is an array. Such a body may be empty of events. */
  boolean isArray() {
    return this == CLOUD_EVENTS || this == ARRAY;
  }
}
