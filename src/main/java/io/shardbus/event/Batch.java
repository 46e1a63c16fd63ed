package io.shardbus.event;

import java.util.List;

/**
 * Consecutive events of one shard, on the way to a sink.
 *
 * @param shard the shard's id
 * @param firstSequence the sequence of the first event
 * @param events the events in order of sequence, at least one. Usually without gaps; a retry after
 *     a partial failure holds only the events that failed
 * @param producer the producer that gave the sequences
 */
public record Batch(int shard, long firstSequence, List<ShardEvent> events, ProducerId producer) {

  /** {@return the number of events, at least 1} */
  public int size() {
    return events.size();
  }

  /**
   * The id by which a backend can recognise a repeated event: {@code
   * producer:epoch:shard:sequence}.
   *
   * @param event an event of this batch
   * @return the id
   */
  public String deduplicationId(ShardEvent event) {
    return producer.id() + ':' + producer.epoch() + ':' + shard + ':' + event.sequence();
  }
}
