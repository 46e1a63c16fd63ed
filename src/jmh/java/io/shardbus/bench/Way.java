package io.shardbus.bench;

/** A way in which events travel over one connection. */
@FunctionalInterface
interface Way {

  /**
   * Begins to send lots, and goes on until what it opened is closed. What went wrong on the way is
   * thrown then.
   */
  void open(Lots lots, Confirmations confirmations, Opened opened) throws Exception;
}
