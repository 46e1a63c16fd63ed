package io.shardbus.shard;

/**
 * What the scaling policy asks for.
 *
 * @param direction up, down or nothing
 * @param count how many shards to add or remove; 0 for nothing
 * @param cause why, in a few words with the numbers
 */
public record ScalingDecision(Direction direction, int count, String cause) {

  /** Nothing to do. */
  public static final ScalingDecision NONE = new ScalingDecision(Direction.NONE, 0, "");

  /** Which way. */
  public enum Direction {
    /** Leave the shards as they are. */
    NONE,
    /** Add shards. */
    UP,
    /** Remove shards. */
    DOWN
  }

  /**
   * Checks that count and direction agree.
   *
   * @param direction up, down or nothing
   * @param count how many
   * @param cause why
   */
  public ScalingDecision {
    if ((direction == Direction.NONE) != (count == 0) || count < 0) {
      throw new IllegalArgumentException("count: " + count + " does not fit " + direction);
    }
  }

  /**
   * Adding shards.
   *
   * @param count how many, at least 1
   * @param cause why
   * @return the decision
   */
  public static ScalingDecision scaleUp(int count, String cause) {
    return new ScalingDecision(Direction.UP, count, cause);
  }

  /**
   * Adding shards.
   *
   * @param count how many, at least 1
   * @return the decision
   */
  public static ScalingDecision scaleUp(int count) {
    return scaleUp(count, "");
  }

  /**
   * Removing shards.
   *
   * @param count how many, at least 1
   * @param cause why
   * @return the decision
   */
  public static ScalingDecision scaleDown(int count, String cause) {
    return new ScalingDecision(Direction.DOWN, count, cause);
  }

  /**
   * Removing shards.
   *
   * @param count how many, at least 1
   * @return the decision
   */
  public static ScalingDecision scaleDown(int count) {
    return scaleDown(count, "");
  }
}
