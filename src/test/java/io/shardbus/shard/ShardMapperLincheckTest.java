package io.shardbus.shard;

import java.util.List;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The mapper and its routing table are linearizable: every result fits one order of the calls. */
@Tag("lincheck")
@Param(name = "id", gen = IntGen.class, conf = "0:3")
@Param(name = "range", gen = IntGen.class, conf = "0:3")
public class ShardMapperLincheckTest {

  private final ShardSet set = new ShardSet(4, BackpressureMode.FAIL_PRODUCER, 1 << 20, () -> 1);
  private final ShardMapper mapper =
      ShardMapper.withShards(2, set, new ScalingPolicy().setMinShards(1).setMaxShards(4), () -> 0L);

  @Operation
  public String add() {
    return result(() -> mapper.scaleUp(1, true).toString());
  }

  @Operation
  public String activate(@Param(name = "id") int id) {
    return result(
        () -> {
          mapper.activate(List.of(id));
          return "active";
        });
  }

  @Operation
  public String drain(@Param(name = "id") int id) {
    return result(
        () -> {
          mapper.scaleDownShard(id);
          return "draining";
        });
  }

  @Operation
  public String remove(@Param(name = "id") int id) {
    return result(() -> "removed with " + mapper.remove(id).size());
  }

  @Operation
  public int route(@Param(name = "range") int range) {
    return mapper.selectShard((long) range << 62);
  }

  @Operation
  public int total() {
    return mapper.totalShardCount();
  }

  private static String result(java.util.function.Supplier<String> call) {
    try {
      return call.get();
    } catch (ScalingException e) {
      return e.reason().name();
    }
  }

  @Test
  void mapper_isLinearizableUnderStress() {
    new StressOptions()
        .threads(3)
        .actorsPerThread(3)
        .iterations(20)
        .invocationsPerIteration(200)
        .check(ShardMapperLincheckTest.class);
  }
}
