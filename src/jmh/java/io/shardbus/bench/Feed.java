package io.shardbus.bench;

import io.shardbus.event.RawEvent;
import java.util.function.Function;

/** How events are handed to the product. */
enum Feed {
  SINGLE(payload -> RawEvent.of(payload.buffer())),
  KEYED(payload -> RawEvent.of(payload.buffer(), payload.key())),
  HASH_GIVEN(payload -> RawEvent.ofHash(payload.buffer(), payload.hash())),
  BATCHED(payload -> RawEvent.of(payload.buffer()));

  private final Function<Payload, RawEvent> maker;

  Feed(Function<Payload, RawEvent> maker) {
    this.maker = maker;
  }

  RawEvent event(Payload payload) {
    return maker.apply(payload);
  }
}
