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
 * so a new member gets its share.
 */
final class Members {

  private final Map<String, Member> byId = new LinkedHashMap<>();
  private final Map<Integer, Member> owners = new HashMap<>();

  /** Whether the member is new. */
  boolean seen(String id, int credits, @Nullable Boolean late, long now) {
    boolean joined = !byId.containsKey(id);
    byId.computeIfAbsent(id, Member::new).seen(now, credits, late);
    return joined;
  }

  /** The member to which a shard's next batch goes; null if the group is empty. */
  @Nullable Member ownerOf(int shard) {
    if (byId.isEmpty()) {
      return null;
    }
    Member owner = owners.get(shard);
    Member least = leastOwning(byId.values());
    if (owner == null || (owner.shards > least.shards + 1 && !least.isLate())) {
      assign(shard, least);
      return least;
    }
    return owner;
  }

  /** Gives a shard to another member, if there is one, because this one is late. */
  void moveAway(int shard, Member from, long now) {
    from.letTimePass(now);
    List<Member> others = new ArrayList<>(byId.values());
    others.remove(from);
    if (!others.isEmpty()) {
      assign(shard, leastOwning(others));
    }
  }

  /** Removes a member and returns it; null if no member has this id. */
  @Nullable Member remove(String id) {
    Member member = byId.remove(id);
    owners.values().removeIf(owner -> owner == member);
    return member;
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

  private void assign(int shard, Member member) {
    Member before = owners.put(shard, member);
    if (before != null) {
      before.shards--;
    }
    member.shards++;
  }
}
