package io.shardbus.sink.kafka;

import io.shardbus.options.OptionalLibrary;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkProvider;
import io.vertx.core.json.JsonObject;

/** Makes Kafka sinks. They need kafka-clients on the class path. */
public final class KafkaSinkProvider implements SinkProvider {

  /** For the service loader. */
  public KafkaSinkProvider() {}

  @Override
  public String name() {
    return KafkaSink.NAME;
  }

  @Override
  public Sink create(JsonObject config) {
    OptionalLibrary.require(
        "org.apache.kafka.clients.producer.KafkaProducer", "org.apache.kafka:kafka-clients");
    KafkaSinkOptions options = new KafkaSinkOptions(config);
    options.getTls().check();
    new ClientProperties(options).check();
    return new KafkaSink(options);
  }
}
