package io.shardbus.delivery;

import java.time.Duration;
import java.util.Comparator;
import java.util.Iterator;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A loop that runs when it is told to, with a clock of its own. */
class ManualLoop implements ShardLoop {

  private record Timer(long at, long id, Runnable task) {}

  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final PriorityQueue<Timer> timers =
      new PriorityQueue<>(Comparator.comparingLong(Timer::at).thenComparingLong(Timer::id));
  private long now = 1_000_000;
  private long ids;

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
  }

  @Override
  public long setTimer(Duration delay, Runnable task) {
    timers.add(new Timer(now + Math.max(1, delay.toNanos()), ids, task));
    return ids++;
  }

  @Override
  public void cancelTimer(long id) {
    timers.removeIf(timer -> timer.id() == id);
  }

  @Override
  public long nanoTime() {
    return now;
  }

  /** Runs what is due, without moving the clock. Fails if it never ends. */
  void run() {
    for (int i = 0; i < 100_000; i++) {
      Runnable task = tasks.poll();
      if (task == null) {
        return;
      }
      task.run();
    }
    throw new AssertionError("the loop does not come to rest");
  }

  void pass(Duration time) {
    long end = now + time.toNanos();
    run();
    while (!timers.isEmpty() && timers.peek().at() <= end) {
      Timer timer = timers.remove();
      now = Math.max(now, timer.at());
      timer.task().run();
      run();
    }
    now = Math.max(now, end);
  }

  /** Loses all timers, as a loop does that has no memory to run them. */
  void loseTimers() {
    timers.clear();
  }

  /** A task takes so long. */
  void spend(Duration time) {
    now += time.toNanos();
  }

  /** Sets a timer that never fails. */
  static void later(ManualLoop loop, Duration delay, Runnable task) {
    loop.timers.add(new Timer(loop.now + delay.toNanos(), loop.ids++, task));
  }

  int pendingTasks() {
    return tasks.size();
  }

  int pendingTimers() {
    int count = 0;
    for (Iterator<Timer> all = timers.iterator(); all.hasNext(); all.next()) {
      count++;
    }
    return count;
  }
}
