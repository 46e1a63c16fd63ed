package io.shardbus.gateway;

import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets clients that wait for room try again, in the order in which they came: every millisecond,
 * less often if they are many, and never if there are none. One timer serves a whole event loop.
 */
final class Retries {

  private static final Logger LOG = LoggerFactory.getLogger(Retries.class);
  private static final long MILLIS = 1;

  /** Otherwise thousands of waiting clients would keep the event loop busy. */
  private static final int TRIES_PER_MILLI = 500;

  private final Vertx vertx;
  private List<BooleanSupplier> waiting = new ArrayList<>();
  private boolean armed;

  Retries(Vertx vertx) {
    this.vertx = vertx;
  }

  /**
   * @param one tries again; says whether it is done with waiting
   */
  void add(BooleanSupplier one) {
    waiting.add(one);
    arm();
  }

  private void arm() {
    if (!armed && !waiting.isEmpty()) {
      armed = true;
      vertx.setTimer(MILLIS + waiting.size() / TRIES_PER_MILLI, id -> tryAll());
    }
  }

  /** If one fails, the others go on. */
  private static boolean isDone(BooleanSupplier one) {
    try {
      return one.getAsBoolean();
    } catch (RuntimeException e) {
      LOG.error("a client that waited for room could not go on", e);
      return true;
    }
  }

  private void tryAll() {
    armed = false;
    List<BooleanSupplier> first = waiting;
    waiting = new ArrayList<>();
    first.removeIf(Retries::isDone);
    first.addAll(waiting); // clients that came meanwhile are behind the ones that are still here
    waiting = first;
    arm();
  }
}
