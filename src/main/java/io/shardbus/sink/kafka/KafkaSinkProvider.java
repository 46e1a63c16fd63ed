package io.shardbus.sink.kafka;

import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkProvider;
import io.vertx.core.json.JsonObject;

/** Makes Kafka sinks. They need kafka-clients on the class path. */
public final class KafkaSinkProvider implements SinkProvider {

  private static final String CLIENT = "org.apache.kafka.clients.producer.KafkaProducer";

  /** For the service loader. */
  public KafkaSinkProvider() {}

  @Override
  public String name() {
    return KafkaSink.NAME;
  }

  @Override
  public Sink create(JsonObject config) {
    try {
      Class.forName(CLIENT, false, KafkaSinkProvider.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new IllegalArgumentException(
          "sink kafka: org.apache.kafka:kafka-clients is not on the class path", e);
    }
    return new KafkaSink(new KafkaSinkOptions(config));
  }
}
