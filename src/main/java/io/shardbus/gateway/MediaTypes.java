package io.shardbus.gateway;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import java.util.Locale;
import java.util.regex.Pattern;

/** The media types that the gateway speaks. */
final class MediaTypes {

  static final String JSON = "application/json";
  static final String NDJSON = "application/x-ndjson";

  /** Lines that hold an event with its key, its id and its headers. */
  static final String ENVELOPES = "application/vnd.shardbus.events+ndjson";

  static final String CLOUD_EVENT = "application/cloudevents+json";
  static final String CLOUD_EVENTS = "application/cloudevents-batch+json";
  static final String EVENT_STREAM = "text/event-stream";

  /** Other names of lines of JSON. */
  private static final Pattern LINES =
      Pattern.compile("application/(x-)?(ndjson|jsonl|jsonlines|json-lines)");

  /** JSON with a meaning of its own, which the gateway does not look at. */
  private static final Pattern SPECIAL_JSON = Pattern.compile("application/[^/]+\\+json");

  private static final Pattern OTHER_CHARSET =
      Pattern.compile(
          ";\\s*charset\\s*=\\s*\"?+(?!utf-?8\\b|us-ascii\\b)", Pattern.CASE_INSENSITIVE);

  private MediaTypes() {}

  /**
   * What the body of a request is: a type without parameters, in lower case, by the name that this
   * class has for it. Empty if the request does not say; with its charset if that is not UTF-8.
   */
  static String of(HttpServerRequest request) {
    String header = request.getHeader(HttpHeaders.CONTENT_TYPE);
    if (header == null) {
      return "";
    }
    if (header.equals(JSON) && request.headers().getAll(HttpHeaders.CONTENT_TYPE).size() == 1) {
      return JSON;
    }
    header = String.join(", ", request.headers().getAll(HttpHeaders.CONTENT_TYPE));
    if (OTHER_CHARSET.matcher(header).find()) {
      return header;
    }
    String media = header.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
    if (LINES.matcher(media).matches()) {
      return NDJSON;
    }
    boolean ours = media.equals(CLOUD_EVENT) || media.equals(CLOUD_EVENTS);
    return !ours && SPECIAL_JSON.matcher(media).matches() ? JSON : media;
  }
}
