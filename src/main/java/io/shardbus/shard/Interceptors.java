package io.shardbus.shard;

import io.shardbus.event.Intercepted;
import io.shardbus.event.RawEvent;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** The interceptors of one engine, and the refusals by their reasons. Safe for any thread. */
final class Interceptors {

  static final Intercepted.Refusal FAILED = Intercepted.refuse("interceptor_failed");

  /** Further reasons are counted together, so that reasons made of events fill no memory. */
  private static final int MAX_REASONS = 100;

  private static final Logger LOG = LoggerFactory.getLogger(Interceptors.class);

  private final Map<String, LongAdder> refusals = new ConcurrentHashMap<>();

  /** Each with those before it; null while there is none. */
  private volatile @Nullable Link last;

  private static final class Link {

    final @Nullable Link before;
    final Interceptor interceptor;
    final AtomicBoolean failed;

    Link(@Nullable Link before, Interceptor interceptor, AtomicBoolean failed) {
      this.before = before;
      this.interceptor = interceptor;
      this.failed = failed;
    }

    /** In the order in which they were added. */
    Intercepted intercept(RawEvent given) {
      Intercepted event = before == null ? given : before.intercept(given);
      if (!(event instanceof RawEvent passed)) {
        return event;
      }
      try {
        return Objects.requireNonNull(interceptor.intercept(passed), "it returned null");
      } catch (Throwable e) {
        if (!failed.getAndSet(true)) {
          SafeLog.error(
              LOG,
              "interceptor "
                  + interceptor.getClass().getName()
                  + " failed: events for which it fails are refused; this is logged once",
              e);
        }
        return FAILED;
      }
    }

    static @Nullable Link without(@Nullable Link link, AtomicBoolean gone) {
      if (link == null) {
        return null;
      }
      return link.failed == gone
          ? link.before
          : new Link(without(link.before, gone), link.interceptor, link.failed);
    }
  }

  /** Removes it again. */
  synchronized Runnable add(Interceptor interceptor) {
    Objects.requireNonNull(interceptor, "interceptor");
    AtomicBoolean mark = new AtomicBoolean(); // the same interceptor may be there twice
    last = new Link(last, interceptor, mark);
    return () -> remove(mark);
  }

  private synchronized void remove(AtomicBoolean mark) {
    last = Link.without(last, mark);
  }

  boolean isEmpty() {
    return last == null;
  }

  Intercepted intercept(RawEvent event) {
    Link all = last;
    return all == null ? event : all.intercept(Objects.requireNonNull(event, "event"));
  }

  void count(Intercepted.Refusal refusal) {
    LongAdder count = refusals.get(refusal.reason());
    if (count == null) {
      String reason = refusals.size() < MAX_REASONS ? refusal.reason() : "other";
      count = refusals.computeIfAbsent(reason, first -> new LongAdder());
    }
    count.increment();
  }

  /** By reason, sorted. */
  Map<String, Long> refusals() {
    Map<String, Long> counts = new TreeMap<>();
    refusals.forEach((reason, count) -> counts.put(reason, count.sum()));
    return counts;
  }
}
