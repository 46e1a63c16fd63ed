package io.shardbus.delivery;

import io.shardbus.shard.SafeLog;
import io.shardbus.sink.DeliveryObserver;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * Calls several observers. If one throws, that is logged and does not harm the delivery. Safe for
 * any thread.
 */
public final class DeliveryObservers implements DeliveryObserver {

  private static final Logger LOG = LoggerFactory.getLogger(DeliveryObservers.class);

  private final List<DeliveryObserver> all = new CopyOnWriteArrayList<>();
  private volatile boolean over;

  /** No observers yet. */
  public DeliveryObservers() {}

  /**
   * Tells one more.
   *
   * @param observer called from now on
   * @return removes the observer
   */
  public Runnable add(DeliveryObserver observer) {
    all.add(observer);
    if (over) { // after it was added: a close in the meantime sees it
      observer.closed();
    }
    return () -> all.remove(observer);
  }

  @Override
  public void batchFormed(int events) {
    tell(observer -> observer.batchFormed(events));
  }

  @Override
  public void answered(long nanos, boolean taken) {
    tell(observer -> observer.answered(nanos, taken));
  }

  @Override
  public void retried(int events) {
    tell(observer -> observer.retried(events));
  }

  @Override
  public void confirmed(int shard, long oldest, long newest) {
    tell(observer -> observer.confirmed(shard, oldest, newest));
  }

  @Override
  public void closed() {
    over = true;
    tell(DeliveryObserver::closed);
  }

  private void tell(Consumer<DeliveryObserver> what) {
    for (DeliveryObserver observer : all) {
      try {
        what.accept(observer);
      } catch (Throwable e) {
        SafeLog.error(LOG, "an observer of deliveries failed", e);
      }
    }
  }
}
