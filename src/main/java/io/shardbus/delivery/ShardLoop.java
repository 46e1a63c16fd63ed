package io.shardbus.delivery;

import java.time.Duration;

/** The one thread on which a shard's consumer runs. */
interface ShardLoop {

  /** Runs a task on the loop, later. For any thread. */
  void execute(Runnable task);

  /** Runs a task on the loop after a delay. On the loop only. */
  long setTimer(Duration delay, Runnable task);

  /** Forgets a timer; does nothing if it has fired. On the loop only. */
  void cancelTimer(long id);

  long nanoTime();
}
