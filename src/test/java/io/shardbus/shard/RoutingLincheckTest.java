package io.shardbus.shard;

import java.util.List;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Replacing the routing table, routing by it and closing it, in all schedules of a model checker.
 */
@Tag("lincheck")
@Param(name = "owner", gen = IntGen.class, conf = "0:2")
@Param(name = "slot", gen = IntGen.class, conf = "0:1")
public class RoutingLincheckTest {

  private final ShardSet set = new ShardSet(4, BackpressureMode.FAIL_PRODUCER, 1 << 20, () -> 1);
  private final List<Shard> shards = set.create(3);

  @Operation
  public void assign(@Param(name = "owner") int first, @Param(name = "owner") int second) {
    Lane[] lanes = {shards.get(first).main(), shards.get(second).main()};
    set.publish(set.routing().next(lanes, lanes, null));
  }

  @Operation
  public int route(@Param(name = "slot") int slot) {
    Lane lane = set.routing().select((long) slot << 63, slot == 0);
    return lane == null ? -1 : lane.owner().id();
  }

  @Operation
  public void close() {
    set.publishClosed();
  }

  @Operation
  public boolean closed() {
    return set.closed();
  }

  @Operation
  public int add() {
    return set.create(1).get(0).id();
  }

  @Operation
  public int count() {
    return set.all().size();
  }

  @Test
  void routing_isLinearizable() {
    new ModelCheckingOptions()
        .threads(2)
        .actorsPerThread(2)
        .iterations(6)
        .invocationsPerIteration(100)
        .check(RoutingLincheckTest.class);
  }
}
