package io.shardbus.sink.eventbus;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MembersTest {

  /** Ids of shards are never used again, so members would own ever more. */
  @Test
  void shardsThatAreGone_doNotCount() {
    Members members = new Members();
    members.seen("a", 1, false, 0);
    for (int shard = 0; shard < 100; shard++) {
      members.ownerOf(shard, 0);
    }
    for (int shard = 100; shard < 108; shard++) {
      members.ownerOf(shard, 1);
    }
    members.seen("b", 1, false, 2);
    members.forgetIdle(1);
    int ofA = 0;
    for (int shard = 100; shard < 108; shard++) {
      ofA += members.ownerOf(shard, 2).id.equals("a") ? 1 : 0;
    }
    assertThat(ofA).isEqualTo(4);
  }
}
