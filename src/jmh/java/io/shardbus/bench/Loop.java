package io.shardbus.bench;

/** A thread that does something again and again until it is closed. */
final class Loop implements AutoCloseable {

  /** What is done again and again; must not take long. */
  @FunctionalInterface
  interface Turn {

    void run() throws Exception;
  }

  private final Thread thread;
  private volatile boolean ending;
  private volatile Exception failure;

  Loop(String name, Turn turn) {
    thread = new Thread(() -> run(turn), name);
    thread.setDaemon(true);
    thread.start();
  }

  private void run(Turn turn) {
    try {
      while (!ending) {
        turn.run();
      }
    } catch (Exception e) {
      failure = e;
    }
  }

  /** Waits for the turn under way. Throws what ended the thread early. */
  @Override
  public void close() {
    ending = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (failure != null) {
      throw new IllegalStateException(failure);
    }
  }
}
