package io.shardbus.shard;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** When to add and remove shards: the shipped rule, and those that it is compared with. */
final class ScalingRules {

  private ScalingRules() {}

  /** Not for more than one simulation. */
  interface Rule {

    /** Asked once a tick, unless a change is under way. */
    ScalingDecision look(Bus bus);
  }

  /** What a rule sees. */
  interface Bus {

    ShardManager manager();

    long nowNanos();

    /** In any state. */
    int totalShards();

    List<Seen> activeShards();
  }

  /**
   * An active shard.
   *
   * @param activeSince when it was activated
   * @param busyNanos time of all its writes since it was made
   * @param writes how many
   */
  record Seen(int id, double fillRatio, long activeSince, long busyNanos, long writes) {}

  /** Says when a time has passed once more. */
  private static final class Every {

    private final long nanos;
    private long next;

    Every(Duration time) {
      nanos = time.toNanos();
      next = nanos;
    }

    boolean isDue(long now) {
      if (now < next) {
        return false;
      }
      next = now + nanos;
      return true;
    }
  }

  /** The shipped one, asked as the bus asks it. */
  static final class Shipped implements Rule {

    private final Every look;

    /**
     * @param look how often it is asked
     */
    Shipped(Duration look) {
      this.look = new Every(look);
    }

    @Override
    public ScalingDecision look(Bus bus) {
      return look.isDue(bus.nowNanos()) ? bus.manager().evaluateScaling() : ScalingDecision.NONE;
    }
  }

  /**
   * The rule of the first version: once a window, each shard with a ring above 70 % or writes of
   * 250 ms asks for another one, unless the last change is less than 10 s old. One goes if all have
   * been below 10 % for 60 s and the others would stay below 70 % busy.
   */
  static final class Thresholds implements Rule {

    private static final long WINDOW_NANOS = Duration.ofSeconds(1).toNanos();
    private static final long COOLDOWN_NANOS = Duration.ofSeconds(10).toNanos();
    private static final long IDLE_NANOS = Duration.ofSeconds(60).toNanos();

    private final int maxShards;
    private final Every window = new Every(Duration.ofNanos(WINDOW_NANOS));
    private final Map<Integer, Seen> before = new HashMap<>();
    private long lastChange = -COOLDOWN_NANOS;
    private long idleSince = -1;

    Thresholds(int maxShards) {
      this.maxShards = maxShards;
    }

    @Override
    public ScalingDecision look(Bus bus) {
      long now = bus.nowNanos();
      if (!window.isDue(now)) {
        return ScalingDecision.NONE;
      }
      bus.manager().collectMetrics(); // slots follow the load
      List<Seen> active = bus.activeShards();
      List<Seen> warm =
          active.stream().filter(seen -> now - seen.activeSince() >= WINDOW_NANOS).toList();
      double busy = warm.stream().mapToDouble(this::busyRatio).sum();
      boolean idle =
          warm.size() == active.size()
              && warm.stream().allMatch(seen -> seen.fillRatio() < 0.1 && !isSlow(seen))
              && busy <= 0.7 * (active.size() - 1);
      idleSince = !idle ? -1 : idleSince < 0 ? now : idleSince;
      long overloaded =
          warm.stream().filter(seen -> seen.fillRatio() > 0.7 || isSlow(seen)).count();
      before.clear();
      active.forEach(seen -> before.put(seen.id(), seen));
      if (now - lastChange < COOLDOWN_NANOS) {
        return ScalingDecision.NONE;
      }
      int room = maxShards - bus.totalShards();
      if (overloaded > 0) {
        return room < 1
            ? ScalingDecision.NONE
            : changed(now, ScalingDecision.scaleUp((int) Math.min(room, overloaded)));
      }
      if (idle && now - idleSince >= IDLE_NANOS && active.size() > 1) {
        idleSince = -1;
        return changed(now, ScalingDecision.scaleDown(1));
      }
      return ScalingDecision.NONE;
    }

    private double busyRatio(Seen seen) {
      Seen then = before.get(seen.id());
      long nanos = seen.busyNanos() - (then == null ? 0 : then.busyNanos());
      return Math.min(1, (double) nanos / WINDOW_NANOS);
    }

    private boolean isSlow(Seen seen) {
      Seen then = before.get(seen.id());
      long nanos = seen.busyNanos() - (then == null ? 0 : then.busyNanos());
      long writes = seen.writes() - (then == null ? 0 : then.writes());
      return writes > 0 && nanos / writes > Duration.ofMillis(250).toNanos();
    }

    private ScalingDecision changed(long now, ScalingDecision decision) {
      lastChange = now;
      return decision;
    }
  }

  /**
   * Looks at the rings every 100 ms. If more than half of them are above 70 %, half as many shards
   * again come, unless the last change is less than 1 s old. One goes if all have been below 10 %
   * for 60 s.
   */
  static final class MajorityFull implements Rule {

    private static final long COOLDOWN_NANOS = Duration.ofSeconds(1).toNanos();
    private static final long IDLE_NANOS = Duration.ofSeconds(60).toNanos();

    private final int maxShards;
    private final Every look = new Every(Duration.ofMillis(100));
    private final Every window = new Every(Duration.ofSeconds(1));
    private long lastChange = -COOLDOWN_NANOS;
    private long idleSince = -1;

    MajorityFull(int maxShards) {
      this.maxShards = maxShards;
    }

    @Override
    public ScalingDecision look(Bus bus) {
      long now = bus.nowNanos();
      if (!look.isDue(now)) {
        return ScalingDecision.NONE;
      }
      if (window.isDue(now)) {
        bus.manager().collectMetrics(); // slots follow the load
      }
      List<Seen> active = bus.activeShards();
      boolean idle = active.stream().allMatch(seen -> seen.fillRatio() < 0.1);
      idleSince = !idle ? -1 : idleSince < 0 ? now : idleSince;
      if (now - lastChange < COOLDOWN_NANOS) {
        return ScalingDecision.NONE;
      }
      long above = active.stream().filter(seen -> seen.fillRatio() > 0.7).count();
      int room = maxShards - bus.totalShards();
      if (2 * above > active.size() && room > 0) {
        lastChange = now;
        return ScalingDecision.scaleUp(Math.min(room, Math.max(1, active.size() / 2)));
      }
      if (idle && now - idleSince >= IDLE_NANOS && active.size() > 1) {
        lastChange = now;
        idleSince = -1;
        return ScalingDecision.scaleDown(1);
      }
      return ScalingDecision.NONE;
    }
  }
}
