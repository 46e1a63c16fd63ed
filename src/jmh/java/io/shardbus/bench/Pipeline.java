package io.shardbus.bench;

/** A system under test: producers put events in, its own threads consume them. */
interface Pipeline {

  /** Events a ring holds, in every system. */
  int RING_CAPACITY = 65_536;

  Inlet inlet(int producer);

  /** Events consumed so far. */
  long consumed();

  /** Bytes consumed so far. */
  long bytes();

  void close() throws Exception;
}
