package io.shardbus.shard;

import io.shardbus.event.Intercepted;
import io.shardbus.event.RawEvent;

/**
 * Looks at each event on its way in, before it is routed and before its size and its id are
 * checked.
 */
@FunctionalInterface
public interface Interceptor {

  /**
   * Passes, replaces or refuses an event. It is called once for each event, on the thread that
   * hands the event in, which may be an event loop, and by many threads at the same time. So it
   * must be safe for threads, quick, and must not block. If it throws or returns null, the event is
   * refused with the reason {@code interceptor_failed}.
   *
   * @param event the event, as the interceptors before this one have left it
   * @return the event, another one in its place, or {@link Intercepted#refuse a refusal}
   */
  Intercepted intercept(RawEvent event);
}
