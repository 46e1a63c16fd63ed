package io.shardbus.sink.kafka;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InterruptException;

/**
 * The current state of a topic at the broker.
 *
 * @param id differs from the id of a deleted topic of the same name, for {@link
 *     io.shardbus.sink.support.PositionCursor#in}; 0 if the broker gives topics no ids
 * @param partitions its partitions
 */
record Topic(long id, List<TopicPartition> partitions) {

  private static final long MAX_ID = 999_999_999_999_999_999L;

  static Topic ask(Admin admin, String name, Duration patience) {
    try {
      TopicDescription topic =
          admin
              .describeTopics(
                  List.of(name), new DescribeTopicsOptions().timeoutMs((int) patience.toMillis()))
              .allTopicNames()
              .get()
              .values()
              .iterator()
              .next();
      return new Topic(
          id(topic.topicId()),
          topic.partitions().stream()
              .map(info -> new TopicPartition(name, info.partition()))
              .toList());
    } catch (ExecutionException e) {
      throw e.getCause() instanceof KafkaException known ? known : new KafkaException(e.getCause());
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
  }

  private static long id(Uuid id) {
    return id.equals(Uuid.ZERO_UUID)
        ? 0
        : Math.floorMod(id.getMostSignificantBits() ^ id.getLeastSignificantBits(), MAX_ID) + 1;
  }
}
