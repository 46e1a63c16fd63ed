package io.shardbus.sink;

import io.nats.client.Connection;
import io.nats.client.JetStreamSubscription;
import io.nats.client.Message;
import io.nats.client.Nats;
import io.nats.client.PushSubscribeOptions;
import io.nats.client.api.ConsumerConfiguration;
import io.nats.client.api.DeliverPolicy;
import io.shardbus.testing.Ports;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** A store as a process of its own, and what is in it, read with its own client. */
record FaultyBackend(String sink, ServerProcess server, JsonObject config, Reader reader) {

  private static final int PARTITIONS = 6;
  private static final int PAGE = 10_000;

  /** The payloads in the order of the store. Those of one key are in one part, in order. */
  interface Reader {
    List<String> read() throws Exception;
  }

  /**
   * @param cluster the port of the cluster, for consumers
   */
  static FaultyBackend of(String sink, Path dir, String host, Vertx vertx, int cluster)
      throws Exception {
    int port = Ports.free();
    Path data = Files.createDirectories(dir.resolve("store"));
    return switch (sink) {
      case "redis" ->
          new FaultyBackend(
              sink,
              new ServerProcess(
                  port,
                  dir,
                  "redis-server",
                  "--port",
                  "" + port,
                  "--protected-mode",
                  "no",
                  "--dir",
                  data.toString(),
                  "--appendonly",
                  "yes",
                  "--appendfsync",
                  "always"),
              new JsonObject().put("connectionString", "redis://" + host + ":" + port),
              () -> redis(vertx, port));
      case "jetstream" ->
          new FaultyBackend(
              sink,
              new ServerProcess(
                  port,
                  dir,
                  "nats-server",
                  "-a",
                  "0.0.0.0",
                  "-p",
                  "" + port,
                  "-js",
                  "-sd",
                  data.toString()),
              new JsonObject().put("servers", "nats://" + host + ":" + port),
              () -> jetStream(port));
      case "eventbus" ->
          new FaultyBackend(
              sink,
              ServerProcess.java(
                  port,
                  dir,
                  FaultyConsumer.class,
                  FaultyNodes.cluster(cluster),
                  "" + cluster,
                  data.resolve("faulty").toString(),
                  "" + port),
              new JsonObject(),
              () -> FaultyConsumer.read(data));
      default ->
          new FaultyBackend(
              sink,
              KafkaBroker.processAt(host, port, data, PARTITIONS),
              new JsonObject().put("bootstrapServers", host + ":" + port),
              () -> kafka(port));
    };
  }

  Map<String, String> environment() {
    return Map.of("SHARDBUS_SINK", sink, "SHARDBUS_SINK_CONFIG", config.encode());
  }

  private record Entry(long millis, String payload) {}

  /** A key may move between shards, which have a stream each, so the time tells the order. */
  private static List<String> redis(Vertx vertx, int port) throws Exception {
    List<Entry> all = new ArrayList<>();
    Redis client = Redis.createClient(vertx, "redis://127.0.0.1:" + port);
    for (Response name : ask(client, Request.cmd(Command.KEYS).arg("shardbus:shard:*"))) {
      String from = name.toString().matches("shardbus:shard:[0-9]+") ? "-" : null;
      while (from != null) {
        Request range = Request.cmd(Command.XRANGE).arg(name.toString()).arg(from).arg("+");
        from = null;
        for (Response entry : ask(client, range.arg("COUNT").arg(PAGE))) {
          String id = entry.get(0).toString();
          from = "(" + id;
          Response pairs = entry.get(1);
          for (int i = 0; i + 1 < pairs.size(); i += 2) {
            if (pairs.get(i).toString().equals("payload")) {
              long millis = Long.parseLong(id.substring(0, id.indexOf('-')));
              all.add(new Entry(millis, pairs.get(i + 1).toString()));
            }
          }
        }
      }
    }
    client.close();
    return all.stream().sorted(Comparator.comparing(Entry::millis)).map(Entry::payload).toList();
  }

  private static Response ask(Redis client, Request request) throws Exception {
    return client.send(request).toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private static List<String> jetStream(int port) throws Exception {
    List<String> all = new ArrayList<>();
    Connection connection = Nats.connect("nats://127.0.0.1:" + port);
    try {
      JetStreamSubscription events =
          connection
              .jetStream()
              .subscribe(
                  "shardbus.>",
                  PushSubscribeOptions.builder()
                      .ordered(true)
                      .configuration(
                          ConsumerConfiguration.builder().deliverPolicy(DeliverPolicy.All).build())
                      .build());
      for (Message next = events.nextMessage(Duration.ofSeconds(2));
          next != null;
          next = events.nextMessage(Duration.ofSeconds(2))) {
        all.add(new String(next.getData(), StandardCharsets.UTF_8));
      }
    } finally {
      connection.close();
    }
    return all;
  }

  private static List<String> kafka(int port) {
    List<String> all = new ArrayList<>();
    Map<String, Object> properties =
        Map.of(
            "bootstrap.servers",
            "127.0.0.1:" + port,
            "key.deserializer",
            ByteArrayDeserializer.class,
            "value.deserializer",
            ByteArrayDeserializer.class);
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties)) {
      List<TopicPartition> partitions =
          IntStream.range(0, consumer.partitionsFor("shardbus").size())
              .mapToObj(n -> new TopicPartition("shardbus", n))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (ends.entrySet().stream()
          .anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
        for (ConsumerRecord<byte[], byte[]> each : consumer.poll(Duration.ofSeconds(1))) {
          all.add(new String(each.value(), StandardCharsets.UTF_8));
        }
      }
    }
    return all;
  }
}
