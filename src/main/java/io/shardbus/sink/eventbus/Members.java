package io.shardbus.sink.eventbus;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The members of the group, and the shards of each member. A shard stays with its member. It moves
 * only if the member is gone, silent or late, or if another member owns at least two shards less;
 * so a new member gets its share. A shard that is idle for long has no member.
 */
final class Members {

  private final Map<String, Member> byId = new LinkedHashMap<>();
  private final Map<Integer, Owner> owners = new HashMap<>();

  /**
   * @param lastBatch when the shard had its last batch, by {@link System#nanoTime()}
   */
  private record Owner(Member member, long lastBatch) {}

  /** Whether the member is new. */
  boolean seen(String id, int credits, @Nullable Boolean late, long now) {
    boolean joined = !byId.containsKey(id);
    byId.computeIfAbsent(id, Member::new).seen(now, credits, late);
    return joined;
  }

  /** The member to which a shard's next batch goes; null if the group is empty. */
  @Nullable Member ownerOf(int shard, long now) {
    if (byId.isEmpty()) {
      return null;
    }
    Owner before = owners.get(shard);
    Member owner = before == null ? null : before.member();
    Member least = leastOwning(byId.values());
    if (owner == null || (owner.shards > least.shards + 1 && !least.isLate())) {
      owner = least;
    }
    assign(shard, owner, now);
    return owner;
  }

  /** Gives a shard to another member, if there is one, because this one is late. */
  void moveAway(int shard, Member from, long now) {
    from.letTimePass(now);
    List<Member> others = new ArrayList<>(byId.values());
    others.remove(from);
    if (!others.isEmpty()) {
      assign(shard, leastOwning(others), now);
    }
  }

  /** Removes a member and returns it; null if no member has this id. */
  @Nullable Member remove(String id) {
    Member member = byId.remove(id);
    owners.values().removeIf(owner -> owner.member() == member);
    return member;
  }

  /** Ids of shards are never used again: without this, members would own ever more. */
  void forgetIdle(long since) {
    owners
        .values()
        .removeIf(
            owner -> {
              boolean idle = owner.lastBatch() - since < 0;
              owner.member().shards -= idle ? 1 : 0;
              return idle;
            });
  }

  List<Member> silentSince(long time) {
    return byId.values().stream().filter(member -> member.lastSeen - time < 0).toList();
  }

  List<Member> all() {
    return List.copyOf(byId.values());
  }

  /** Late members only if there are no others. */
  private static Member leastOwning(Collection<Member> candidates) {
    return candidates.stream()
        .min(Comparator.comparing(Member::isLate).thenComparingInt(member -> member.shards))
        .orElseThrow();
  }

  private void assign(int shard, Member member, long now) {
    Owner before = owners.put(shard, new Owner(member, now));
    if (before != null) {
      before.member().shards--;
    }
    member.shards++;
  }
}
