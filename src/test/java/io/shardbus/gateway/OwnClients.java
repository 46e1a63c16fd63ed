package io.shardbus.gateway;

import io.nats.client.Connection;
import io.nats.client.Nats;
import io.nats.client.api.MessageInfo;
import io.shardbus.event.AttributeCodec;
import io.shardbus.event.ByteReader;
import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.json.JsonObject;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads what a sink wrote with the client of its backend. */
final class OwnClients {

  private static final String BLOCK = "`block`";
  private static final String ATTRIBUTES = "[attributes](#attributes-as-bytes)";

  private OwnClients() {}

  private interface Rows {
    void read(ResultSet row) throws Exception;
  }

  private static void select(Path file, String sql, Rows rows) throws Exception {
    try (java.sql.Connection database = DriverManager.getConnection("jdbc:sqlite:" + file);
        ResultSet row = database.createStatement().executeQuery(sql)) {
      while (row.next()) {
        rows.read(row);
      }
    }
  }

  /** The log, by the description of its package. */
  static List<Places> log(Path folder) throws Exception {
    List<Places> all = new ArrayList<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(each -> each.toString().endsWith(".db")).toList()) {
        select(
            file,
            "SELECT shard, block FROM blocks",
            row -> block(row.getInt("shard"), Buffer.buffer(row.getBytes("block")), all));
      }
    }
    return all;
  }

  private static void block(int column, Buffer bytes, List<Places> all) {
    ByteReader in = new ByteReader(bytes, 4, bytes.length() - 4);
    in.varint();
    int count = in.count();
    int shard = in.count();
    long epoch = in.varint();
    String producer = in.text("the producer", in.count());
    long sequence = in.varint();
    long least = in.int64();
    in.varint();
    for (int i = 0; i < count; i++) {
      AttributeCodec.Attributes attributes = AttributeCodec.read(in);
      sequence += in.varint();
      Places places =
          new Places()
              .putTime(BLOCK, least + in.varint())
              .put(BLOCK, in.buffer(in.count()))
              .put(BLOCK, producer)
              .put(BLOCK, epoch)
              .put(BLOCK, shard)
              .put("`shard`", column)
              .put(BLOCK, sequence++);
      put(attributes, places);
      all.add(places);
    }
  }

  private static void put(AttributeCodec.Attributes attributes, Places places) {
    if (attributes.key() != null) {
      places.put(ATTRIBUTES, attributes.key());
    }
    if (attributes.id() != null) {
      places.put(ATTRIBUTES, attributes.id());
    }
    attributes.headers().forEach((name, value) -> places.put(ATTRIBUTES, value));
  }

  /** A copy, since the bus keeps the file for itself. */
  static List<Places> deadLetters(Path file) throws Exception {
    Path copy = Files.createTempDirectory(file.getParent(), "copy").resolve("letters.db");
    for (String part : List.of("", "-wal")) {
      Files.copy(Path.of(file + part), Path.of(copy + part));
    }
    List<Places> all = new ArrayList<>();
    select(
        copy,
        "SELECT * FROM letters",
        row -> {
          Places places =
              new Places()
                  .put("`payload`", Buffer.buffer(row.getBytes("payload")))
                  .put("`producer`", row.getString("producer"))
                  .put("`epoch`", row.getLong("epoch"))
                  .put("`shard`", row.getLong("shard"))
                  .put("`sequence`", row.getLong("sequence"))
                  .putTime("`timestamp`", row.getLong("timestamp"));
          put(AttributeCodec.read(row.getBytes("attributes")), places);
          all.add(places);
        });
    return all;
  }

  static List<Places> redis(Vertx vertx, String url) throws Exception {
    List<Places> all = new ArrayList<>();
    Redis client = Redis.createClient(vertx, url);
    for (Response shard : send(client, Command.SMEMBERS, "shardbus:shards")) {
      for (Response entry : send(client, Command.XRANGE, "shardbus:shard:" + shard, "-", "+")) {
        Places places = new Places().put("key of the stream", shard.toString());
        Response fields = entry.get(1);
        for (int i = 0; i < fields.size(); i += 2) {
          places.put(Places.code(fields.get(i).toString()), fields.get(i + 1).toBuffer());
        }
        all.add(places);
      }
    }
    TestGateway.await(client.close());
    return all;
  }

  private static Response send(Redis client, Command command, Object... arguments)
      throws Exception {
    return TestGateway.await(client.send(Request.cmd(command, arguments)));
  }

  static List<Places> jetStream(String url) throws Exception {
    List<Places> all = new ArrayList<>();
    Connection client = Nats.connect(url);
    try {
      var management = client.jetStreamManagement();
      long count = management.getStreamInfo("SHARDBUS").getStreamState().getMsgCount();
      for (long number = 1; number <= count; number++) {
        MessageInfo message = management.getMessage("SHARDBUS", number);
        Places places =
            new Places()
                .put("the message", Buffer.buffer(message.getData()))
                .put("the subject", message.getSubject().replaceFirst("shardbus\\.shard\\.", ""));
        message
            .getHeaders()
            .forEach(
                (name, values) -> values.forEach(value -> places.put(Places.code(name), value)));
        all.add(places);
      }
    } finally {
      client.close();
    }
    return all;
  }

  static List<Places> kafka(String bootstrap, String topic) throws Exception {
    List<Places> all = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> client =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", bootstrap),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          client.partitionsFor(topic).stream()
              .map(each -> new TopicPartition(topic, each.partition()))
              .toList();
      client.assign(partitions);
      client.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = client.endOffsets(partitions);
      while (partitions.stream().anyMatch(each -> client.position(each) < ends.get(each))) {
        client.poll(Duration.ofMillis(100)).forEach(record -> all.add(of(record)));
      }
    }
    return all;
  }

  private static Places of(ConsumerRecord<byte[], byte[]> record) {
    Places places = new Places().put("the value", Buffer.buffer(record.value()));
    if (record.key() != null) {
      places.put("the key", Buffer.buffer(record.key()));
    }
    for (Header header : record.headers()) {
      String code = Places.code(header.key());
      String value = new String(header.value(), StandardCharsets.UTF_8);
      if (header.key().equals("Shardbus-Event")) {
        String[] parts = value.split(":", -1);
        Arrays.stream(parts, 0, 4).forEach(part -> places.put(code, part));
        places.putTime(code, Long.parseLong(parts[4]));
      } else {
        places.put(code, value);
      }
    }
    return places;
  }

  /** Reads envelopes. */
  static List<Places> lines(String all) {
    return all.lines()
        .filter(line -> !line.isEmpty())
        .map(JsonObject::new)
        .map(Places::of)
        .toList();
  }

  static List<Places> files(Path folder) throws Exception {
    List<Places> all = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(each -> each.toString().contains(".ndjson")).toList()) {
        all.addAll(lines(Files.readString(file)));
      }
    }
    return all;
  }

  /** Takes requests, and keeps what they carry by their paths. */
  static String receiver(Vertx vertx, Map<String, List<Places>> posted) throws Exception {
    HttpServer server = vertx.createHttpServer(new HttpServerOptions().setMaxHeaderSize(1 << 16));
    server.requestHandler(
        request ->
            request
                .body()
                .onSuccess(
                    body -> {
                      boolean lines = request.path().equals("/lines");
                      posted
                          .computeIfAbsent(request.path(), path -> new CopyOnWriteArrayList<>())
                          .addAll(
                              lines
                                  ? lines(body.toString())
                                  : List.of(of(request.headers(), body)));
                      request.response().end();
                    }));
    return "http://127.0.0.1:" + TestGateway.await(server.listen(0, "127.0.0.1")).actualPort();
  }

  private static Places of(MultiMap headers, Buffer body) {
    Places places = new Places().put("the body", body);
    headers.forEach((name, value) -> places.put(Places.code(name), value));
    return places;
  }
}
