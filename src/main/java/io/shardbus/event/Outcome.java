package io.shardbus.event;

import java.util.Locale;

/**
 * Whether an event was taken, or why not. Results, failed futures, acknowledgements, answers on the
 * wire, metrics and logs all use these words.
 */
public enum Outcome {
  /**
   * In a shard's ring: it will be delivered, dead-lettered or, in mode drop-oldest, perhaps
   * evicted.
   */
  ACCEPTED(0, 202, "it is in a ring"),
  /** The shard's ring is full, by count or by bytes. Worth trying again later. */
  BACKPRESSURE(1, 429, "the shard is full"),
  /** The shard is filling up and mode {@code sample(n)} did not choose this event. */
  SAMPLED(2, 429, "the shard is filling up: not sampled"),
  /** No shard is active. Worth trying again later. */
  UNROUTED(3, 503, "no shard is active"),
  /** The bus is closing or closed. */
  CLOSED(4, 503, "the bus is closed"),
  /** The event and its key are larger than the bus or the gateway takes. */
  TOO_LARGE(5, 413, "the event is larger than the bus takes"),
  /** Accepted, then pushed out of a full ring by a newer event, in mode drop-oldest. */
  EVICTED(6, 500, "a newer event pushed it out"),
  /** Accepted, then refused by the sink for good, or too often. */
  DEAD_LETTERED(7, 500, "the sink refused it"),
  /**
   * No answer came in time, or the bus was closed before the sink confirmed the event. So it is not
   * known whether the event was delivered.
   */
  UNKNOWN(8, 500, "it is not known whether it was delivered"),
  /** No bus answered at the event-bus address. */
  NO_BUS(9, 503, "no bus answers at the address"),
  /** Not one JSON value, or without the required key. Only the gateway checks this. */
  INVALID(10, 400, "it is not a valid event"),
  /** The client sends more events or bytes a second than it may. */
  RATE(11, 429, "the client sends too fast"),
  /** The message has more events than it may have, and this is one of the rest. */
  TOO_MANY(12, 413, "the message has too many events"),
  /** The gateway has no memory left for unfinished bodies and messages. */
  NO_MEMORY(13, 503, "no memory is left for unfinished messages"),
  /** The body, line or message was not complete in time. */
  TOO_SLOW(14, 408, "it did not come to an end in time"),
  /** The bus has taken an event with this id before. It answers as it did then. */
  DUPLICATE(15, 202, "an event with this id was taken before"),
  /** An interceptor of the application refused it. */
  INTERCEPTED(16, 422, "an interceptor refused it"),
  /** The bus asks for a secret, and the publisher has none or another one. */
  UNAUTHORIZED(17, 401, "the bus asks for a secret, and got none or a wrong one");

  private static final Outcome[] ALL = values();

  private final byte wireByte;
  private final int status;
  private final String meaning;
  private final String word;

  Outcome(int wireByte, int status, String meaning) {
    this.wireByte = (byte) wireByte;
    this.status = status;
    this.meaning = meaning;
    word = name().toLowerCase(Locale.ROOT);
  }

  /** {@return whether it is ACCEPTED or DUPLICATE: the bus has the event} */
  public boolean taken() {
    return this == ACCEPTED || this == DUPLICATE;
  }

  /** {@return the word in JSON, metrics and logs: lower case, such as {@code too_large}} */
  public String word() {
    return word;
  }

  /**
   * {@return the status of an HTTP answer (RFC 9110), and the failure code of a reply on the event
   * bus, such as 429}
   */
  public int status() {
    return status;
  }

  /** {@return the byte in an answer to an {@code EventBusPublisher}; 0 for accepted} */
  public byte wireByte() {
    return wireByte;
  }

  /**
   * Reads an answer to an {@code EventBusPublisher}.
   *
   * @param wireByte a {@link #wireByte}
   * @return the outcome with this byte; UNKNOWN if there is none
   */
  public static Outcome of(byte wireByte) {
    for (Outcome outcome : ALL) {
      if (outcome.wireByte == wireByte) {
        return outcome;
      }
    }
    return UNKNOWN;
  }

  /** {@return what it means, for people, such as {@code the shard is full}} */
  public String meaning() {
    return meaning;
  }
}
