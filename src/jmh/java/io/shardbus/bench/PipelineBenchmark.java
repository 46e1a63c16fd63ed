package io.shardbus.bench;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Events per second through a whole pipeline. The producers push all the time; what is measured is
 * how long it takes until so many more events have come out at the other end.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(jvmArgs = {"-Xms2g", "-Xmx2g", "-XX:+AlwaysPreTouch"})
public abstract class PipelineBenchmark {

  private static final int EVENTS = 10_000;
  private static final long LOOK_EVERY_NANOS = 50_000;

  @Param Contender system;

  @Param("2")
  int producers;

  @Param("2")
  int shards;

  @Param("128")
  int bytes;

  private Pipeline pipeline;
  private Producers threads;
  private long awaited;

  @Setup
  public void open() {
    pipeline = system.open(producers, shards);
    threads = new Producers(pipeline, producers, bytes);
  }

  @Setup(Level.Iteration)
  public void startCounting() {
    awaited = pipeline.consumed();
  }

  @Benchmark
  @OperationsPerInvocation(EVENTS)
  public void events() {
    awaited += EVENTS;
    while (pipeline.consumed() < awaited) {
      LockSupport.parkNanos(LOOK_EVERY_NANOS);
    }
  }

  @TearDown
  public void close() throws Exception {
    threads.close();
    pipeline.close();
  }
}
