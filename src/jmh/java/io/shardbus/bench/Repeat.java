package io.shardbus.bench;

/** Keeps something going, each time from the end of the last, until it is closed. */
final class Repeat implements AutoCloseable {

  private volatile boolean ended;
  private volatile Throwable failure;

  /**
   * @param failed what went wrong last time, which ends it; null if nothing did
   */
  void again(Throwable failed, Runnable action) {
    if (ended) {
      return;
    }
    if (failed != null) {
      fail(failed);
      return;
    }
    action.run();
  }

  void fail(Throwable failed) {
    if (!ended) {
      failure = failed;
    }
  }

  boolean ended() {
    return ended || failure != null;
  }

  @Override
  public void close() {
    ended = true;
    if (failure != null) {
      throw new IllegalStateException(failure);
    }
  }
}
