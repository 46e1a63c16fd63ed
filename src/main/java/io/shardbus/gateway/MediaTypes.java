package io.shardbus.gateway;

/** The media types that the gateway speaks. */
final class MediaTypes {

  static final String JSON = "application/json";
  static final String NDJSON = "application/x-ndjson";

  /** Lines that hold an event with its key, its id and its headers. */
  static final String ENVELOPES = "application/vnd.shardbus.events+ndjson";

  static final String CLOUD_EVENT = "application/cloudevents+json";
  static final String CLOUD_EVENTS = "application/cloudevents-batch+json";
  static final String EVENT_STREAM = "text/event-stream";

  private MediaTypes() {}
}
