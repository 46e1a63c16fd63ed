package io.shardbus.sink.support;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.EventFilter;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.StoredEvent;
import io.shardbus.testing.Attributes;
import io.vertx.core.buffer.Buffer;
import org.junit.jupiter.api.Test;

class PageBuilderTest {

  private static PageBuilder page(int limit, EventFilter filter) {
    return new PageBuilder(
        EventQuery.of(null, limit).withFilter(filter).withOrder(EventQuery.Order.TIMESTAMP));
  }

  private static StoredEvent event(long timestamp, int size) {
    return new StoredEvent(
        new ProducerId("test", 1),
        new ShardEvent(0, timestamp, timestamp, Buffer.buffer(new byte[size]), null));
  }

  private static int scansUntilFull(PageBuilder page, StoredEvent event) {
    int scans = 0;
    while (page.hasRoom()) {
      page.scan(event);
      scans++;
    }
    return scans;
  }

  @Test
  void room_endsWithTheLimitTheBytesAndWhatWasPassedOver() {
    assertThat(scansUntilFull(page(7, null), event(0, 10))).isEqualTo(7);
    assertThat(scansUntilFull(page(100, null), event(0, 1 << 20))).isEqualTo(8);
    assertThat(scansUntilFull(page(7, e -> false), event(0, 10))).isEqualTo(100_000);
    assertThat(scansUntilFull(page(7, e -> false), event(0, 1 << 20))).isEqualTo(32);
    assertThat(scansUntilFull(page(7, null), null)).isEqualTo(100_000);
  }

  @Test
  void events_areThoseWanted_byTimestamp() {
    PageBuilder page = page(10, e -> e.sequence() != 2);
    for (int timestamp : new int[] {3, 1, 2, 4}) {
      page.scan(event(timestamp, 1));
    }
    assertThat(page.page("c", true).events().stream().map(e -> e.event().timestamp()))
        .containsExactly(1L, 3L, 4L);
  }

  @Test
  void fetchCount_followsTheLimitAndTheSizeOfEvents() {
    assertThat(page(40, null).fetchCount(4)).isEqualTo(11);
    assertThat(page(10_000, null).fetchCount(1)).isEqualTo(128);
    assertThat(page(10_000, null).fetchCount(1_000)).isEqualTo(1);
    PageBuilder small = page(1, e -> false);
    small.scan(event(0, 10));
    assertThat(small.fetchCount(1)).isEqualTo(500);
    PageBuilder large = page(10_000, e -> false);
    large.scan(event(0, 1 << 20));
    assertThat(large.fetchCount(1)).isEqualTo(7);
  }

  @Test
  void headers_countAsBytes() {
    ShardEvent event = new ShardEvent(0, 0, 0, Buffer.buffer("x"), null, null, Attributes.most());
    StoredEvent stored = new StoredEvent(new ProducerId("test", 1), event);
    assertThat(scansUntilFull(page(10_000, null), stored)).isEqualTo(1_024);
    assertThat(scansUntilFull(page(10_000, e -> false), stored)).isEqualTo(4_096);
  }

  @Test
  void until_isPastADayLater() {
    long day = EventQuery.LATEST.toNanos();
    PageBuilder page = new PageBuilder(EventQuery.of(null, 1).withUntil(1_000));
    assertThat(page.isPast(1_000 + day - 1)).isFalse();
    assertThat(page.isPast(1_000 + day)).isTrue();
    assertThat(page.isPast(-1_000_000)).isFalse();
    assertThat(new PageBuilder(EventQuery.of(null, 1)).isPast(Long.MAX_VALUE)).isFalse();
  }
}
