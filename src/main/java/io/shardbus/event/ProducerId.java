package io.shardbus.event;

/**
 * Identifies the producer that gave a batch its sequences. The id is stable, and the epoch rises at
 * every start. So a sequence that starts again from 0 is never taken for an old one.
 *
 * @param id the stable id; not empty, without a colon
 * @param epoch the number of this start; at least 0
 */
public record ProducerId(String id, long epoch) {

  /**
   * Checks the ranges.
   *
   * @param id the stable id
   * @param epoch the number of this start
   */
  public ProducerId {
    if (id.isEmpty() || id.indexOf(':') >= 0) {
      throw new IllegalArgumentException(
          "producer id: \"" + id + "\" must not be empty or contain a colon");
    }
    if (epoch < 0) {
      throw new IllegalArgumentException("producer epoch: " + epoch + " must be at least 0");
    }
  }
}
