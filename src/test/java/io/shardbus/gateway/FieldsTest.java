package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.ShardBusOptions;
import io.shardbus.delivery.BatchOptions;
import io.shardbus.event.Batch;
import io.shardbus.event.Headers;
import io.shardbus.event.ShardEvent;
import io.shardbus.gateway.FieldTable.Seen;
import io.shardbus.gateway.Places.Field;
import io.shardbus.gateway.WayIn.Form;
import io.shardbus.gateway.WayIn.Kind;
import io.shardbus.gateway.WayIn.Sent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.sink.DeadLetters;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.KafkaBroker;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.ServerProcess;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.eventbus.EventBusConsumer;
import io.shardbus.testing.Attributes;
import io.shardbus.testing.Ports;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Where each part of an event is, on each way in, in each store and on each way out. Each way in
 * sends to each sink, with a real server behind it, and each way out reads what came. The table in
 * the document is what the test saw. After a change, {@code mvn -Dtest=FieldsTest
 * -Dshardbus.rewrite=true test} writes it anew.
 */
@Tag("backend")
class FieldsTest {

  private static final String READ = "?limit=1000";

  private static final String LINES = "`http`, `envelope`";
  private static final String LINES_PATH = "/lines";
  private static final String SINGLE = "`http`, `single`";
  private static final String SINGLE_PATH = "/single";

  /** Clients send the headers that the server keeps, and one with a name that CloudEvents lack. */
  private static final String KEPT = "ce-*, tracestate, x-*";

  @TempDir private Path folder;
  private final List<AutoCloseable> open = new ArrayList<>();
  private final FieldTable table = new FieldTable();

  @AfterEach
  void tearDown() throws Exception {
    for (int i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
  }

  /** One thing that is sent in one way. */
  private record Case(WayIn way, Sent sent) {}

  private static List<Case> cases() {
    List<Case> cases = new ArrayList<>();
    for (WayIn way : WayIn.values()) {
      way.forms().forEach(form -> cases.add(new Case(way, sent(cases.size(), Kind.JSON, form))));
      cases.add(new Case(way, sent(cases.size(), Kind.TEXT, Form.OWN)));
      cases.add(new Case(way, sent(cases.size(), Kind.BYTES, Form.OWN)));
    }
    Sent last = sent(cases.size(), Kind.JSON, Form.OWN);
    cases.add(new Case(WayIn.EMBEDDED, last.withHeaders(Attributes.most())));
    cases.add(
        new Case(
            WayIn.PUBLISHER,
            new Sent(Kind.JSON, Buffer.buffer("{}"), Form.OWN, null, null, Headers.none())));
    return cases;
  }

  private static Sent sent(int n, Kind kind, Form form) {
    String key = "key é " + n % 7;
    String id = "id ☃ " + n;
    Buffer payload =
        switch (kind) {
          case JSON -> new JsonObject().put("n", n).put("k", key).put("i", id).toBuffer();
          case TEXT -> Buffer.buffer("text é " + n);
          case BYTES -> Buffer.buffer(new byte[] {(byte) n, (byte) 0xff});
        };
    Headers headers = Headers.of(Map.of("tracestate", "a=ü, n=" + n, "x-h", "h " + n));
    return new Sent(kind, payload, form, key, id, headers);
  }

  /** A bus, what it took, and what is to be read there. */
  private final class Server {

    final TestGateway gateway;
    final Set<Case> taken = new LinkedHashSet<>();
    List<StoredEvent> events = List.of();

    Server(Sink sink, ShardBusOptions options) throws Exception {
      gateway =
          new TestGateway(
              options.setShards(2).setBatch(BatchOptions.lowLatency()),
              sink,
              new GatewayOptions().setKeepHeaders(KEPT),
              new HttpClientOptions());
      open.add(gateway::close);
    }

    void send(List<Case> cases) {
      for (Case each : cases) {
        try {
          if (each.way().send(gateway, each.sent()) == null) {
            taken.add(each);
          }
        } catch (Exception e) {
          throw new AssertionError(each.toString(), e);
        }
      }
    }

    void flush() throws Exception {
      TestGateway.await(gateway.bus.flush());
    }

    String read(String uri, String accept) throws Exception {
      TestGateway.Answer answer = gateway.get(uri, "Accept", accept);
      assertThat(answer.status()).as(answer.body()).isEqualTo(200);
      return answer.body();
    }
  }

  /** Remembers what a sink that cannot be read back has confirmed. */
  private record Remembering(Sink sink, List<StoredEvent> written) implements Sink {

    Remembering(Sink sink) {
      this(sink, new CopyOnWriteArrayList<>());
    }

    @Override
    public Future<Void> open(SinkContext context) {
      return sink.open(context);
    }

    @Override
    public String name() {
      return sink.name();
    }

    @Override
    public Future<Void> write(Batch batch) {
      return sink.write(batch)
          .onSuccess(
              done ->
                  batch.events().forEach(e -> written.add(new StoredEvent(batch.producer(), e))));
    }

    @Override
    public Future<Void> close() {
      return sink.close();
    }
  }

  private Server remembering(Sink sink) throws Exception {
    Remembering remembering = new Remembering(sink);
    Server server = new Server(remembering, new ShardBusOptions());
    server.events = remembering.written();
    return server;
  }

  private static Sink sink(String name, Object... config) {
    JsonObject json = new JsonObject();
    for (int i = 0; i < config.length; i += 2) {
      json.put((String) config[i], config[i + 1]);
    }
    return Sinks.create(new SinkOptions(name).setConfig(json));
  }

  private void start(int port, String program, String... arguments) throws Exception {
    ServerProcess server = new ServerProcess(port, folder, program, arguments);
    server.start();
    open.add(server::kill);
  }

  private KafkaBroker broker() {
    try {
      KafkaBroker broker = new KafkaBroker(Files.createDirectory(folder.resolve("kafka")), 2);
      broker.createTopic("shardbus", 2, Map.of());
      return broker;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void table_isWhatIsSeen() throws Exception {
    CompletableFuture<KafkaBroker> broker = CompletableFuture.supplyAsync(this::broker);
    int redis = Ports.free();
    start(redis, "redis-server", "--port", "" + redis, "--dir", folder.toString(), "--save", "");
    int nats = Ports.free();
    start(nats, "nats-server", "-a", "127.0.0.1", "-p", "" + nats, "-js", "-sd", folder + "/js");
    String redisUrl = "redis://127.0.0.1:" + redis;
    String natsUrl = "nats://127.0.0.1:" + nats;
    Path log = folder.resolve("log");

    Path files = folder.resolve("files");
    Map<String, List<Places>> posted = new ConcurrentHashMap<>();
    Map<String, Server> stores = new LinkedHashMap<>();
    stores.put("`log`", new Server(sink("log", "dir", log.toString()), new ShardBusOptions()));
    stores.put("`memory`", new Server(sink("memory"), new ShardBusOptions()));
    stores.put(
        "`redis`", new Server(sink("redis", "connectionString", redisUrl), new ShardBusOptions()));
    stores.put(
        "`jetstream`", new Server(sink("jetstream", "servers", natsUrl), new ShardBusOptions()));
    KafkaBroker kafka = broker.join();
    open.add(kafka);
    stores.put(
        "`kafka`",
        new Server(sink("kafka", "bootstrapServers", kafka.bootstrap()), new ShardBusOptions()));
    Server consumers = new Server(sink("eventbus"), new ShardBusOptions());
    String url = OwnClients.receiver(consumers.gateway.vertx, posted);
    stores.put(LINES, remembering(sink("http", "url", url + LINES_PATH, "envelope", true)));
    stores.put(SINGLE, remembering(sink("http", "url", url + SINGLE_PATH, "body", "single")));
    stores.put("`file`", remembering(sink("file", "dir", files.toString())));
    List<StoredEvent> consumed = consume(consumers);
    RecordingSink refusing = new RecordingSink().fail(SinkException.permanentFailure("not today"));
    Path data = folder.resolve("data");
    Server letters = new Server(refusing, new ShardBusOptions().setDataDir(data.toString()));

    List<Case> cases = cases();
    List<Server> all = new ArrayList<>(stores.values());
    all.add(consumers);
    Stream.concat(all.stream(), Stream.of(letters))
        .map(server -> CompletableFuture.runAsync(() -> server.send(cases)))
        .toList()
        .forEach(CompletableFuture::join);
    for (Server server : stores.values()) {
      server.flush();
      if (server.gateway.bus.sink() instanceof ReplayableSink sink) {
        server.events = TestGateway.await(sink.read(EventQuery.of(null, 1_000))).events();
      }
    }
    consumers.flush();
    consumers.events = consumed;
    letters.flush();
    DeadLetters kept = letters.gateway.bus.deadLetters();
    letters.events =
        TestGateway.await(kept.list(0, 1_000)).stream()
            .map(letter -> new StoredEvent(letter.letter().producer(), letter.letter().event()))
            .toList();

    for (Server server : all) {
      assertTakenAlike(all.get(0), server);
    }
    table.begin("ways in");
    waysIn(all.get(0), cases);
    table.begin("stores");
    stores.keySet().forEach(name -> table.reserve(store(name))); // are read last
    table.begin("ways out");
    waysOut(stores, consumers);
    deadLetters(letters, refusing, data.resolve("dead-letters.db"));
    Map<String, Callable<List<Places>>> clients =
        Map.of(
            "`log`",
            () -> OwnClients.log(log),
            "`memory`",
            () -> java(stores.get("`memory`").events),
            "`redis`",
            () -> OwnClients.redis(consumers.gateway.vertx, redisUrl),
            "`jetstream`",
            () -> OwnClients.jetStream(natsUrl),
            "`kafka`",
            () -> OwnClients.kafka(kafka.bootstrap(), "shardbus"),
            LINES,
            () -> posted.get(LINES_PATH),
            SINGLE,
            () -> posted.get(SINGLE_PATH),
            "`file`",
            () -> OwnClients.files(files));
    TestGateway.await(stores.get("`log`").gateway.bus.close());
    stores(stores, clients);
    table.assertIn(Path.of("docs/wire.md"));
  }

  private static List<StoredEvent> consume(Server server) throws Exception {
    List<StoredEvent> consumed = new CopyOnWriteArrayList<>();
    TestGateway.await(
        EventBusConsumer.start(
            server.gateway.vertx,
            "shardbus.events",
            1,
            batch -> {
              batch.events().forEach(e -> consumed.add(new StoredEvent(batch.producer(), e)));
              return Future.succeededFuture();
            }));
    return consumed;
  }

  // ------------------------------------------------------------------ ways in

  /** What the sinks got is what was sent, and the same in each of them. */
  private static void assertTakenAlike(Server first, Server other) {
    assertThat(other.taken).isEqualTo(first.taken);
    assertThat(other.events).hasSameSizeAs(other.taken);
    Map<Buffer, ShardEvent> expected = byPayload(first.events);
    byPayload(other.events)
        .forEach(
            (payload, event) -> {
              assertThat(event.key()).isEqualTo(expected.get(payload).key());
              assertThat(event.id()).isEqualTo(expected.get(payload).id());
              assertThat(event.headers()).isEqualTo(expected.get(payload).headers());
            });
  }

  private static Map<Buffer, ShardEvent> byPayload(Collection<StoredEvent> events) {
    return events.stream()
        .map(StoredEvent::event)
        .collect(Collectors.toMap(ShardEvent::payload, event -> event));
  }

  private void waysIn(Server server, List<Case> cases) {
    Map<Buffer, ShardEvent> events = byPayload(server.events);
    for (WayIn way : WayIn.values()) {
      Map<Field, Set<String>> places = new EnumMap<>(Field.class);
      for (Case each : cases) {
        ShardEvent event = events.get(each.sent().payload());
        if (each.way() == way && event != null) {
          arrived(each, event, places);
        }
      }
      table.row(
          way.title(),
          field -> String.join(", ", places.getOrDefault(field, Set.of(FieldTable.NOWHERE))),
          FieldTable.NOWHERE);
    }
  }

  private static void arrived(Case each, ShardEvent event, Map<Field, Set<String>> places) {
    WayIn way = each.way();
    Sent sent = each.sent();
    add(places, Field.PAYLOAD, way.payloadAt(sent.kind()));
    if (event.key() != null) {
      assertThat(event.key()).isEqualTo(sent.key());
      add(places, Field.KEY, way.keyAt(sent.form()));
    }
    if (event.id() != null) {
      assertThat(event.id())
          .isEqualTo(way.isCloudEvent() ? WayIn.SOURCE + " " + sent.id() : sent.id());
      add(places, Field.ID, way.idAt(sent.form()));
    }
    Map<String, String> expected = sent.headers().toMap();
    if (way.isCloudEvent()) {
      WayIn.attributes(sent)
          .forEach(
              attribute ->
                  expected.put(
                      attribute.getKey().equals("datacontenttype")
                          ? "content-type"
                          : "ce-" + attribute.getKey(),
                      attribute.getValue().toString()));
      expected.put("ce-partitionkey", sent.key());
      add(places, Field.ATTRIBUTES, way.attributesAt());
    }
    assertThat(event.headers().toMap()).isEqualTo(expected);
    add(places, Field.HEADERS, way.headersAt());
  }

  private static void add(Map<Field, Set<String>> places, Field field, String place) {
    places.computeIfAbsent(field, key -> new LinkedHashSet<>()).add(place);
  }

  // ------------------------------------------------------------------ ways out

  private void waysOut(Map<String, Server> stores, Server consumers) throws Exception {
    Map<String, List<Seen>> seen = new LinkedHashMap<>();
    for (Server server : stores.values()) {
      if (!(server.gateway.bus.sink() instanceof ReplayableSink)) {
        continue;
      }
      String envelopes = MediaTypes.ENVELOPES;
      String all = "?from=start&until=-0s";
      JsonArray page =
          new JsonObject(server.read("/v1/events" + READ, MediaTypes.JSON)).getJsonArray("events");
      see(seen, "page", server, objects(page));
      see(
          seen,
          "[envelope lines](#envelope-lines)",
          server,
          OwnClients.lines(server.read("/v1/events" + READ, envelopes)));
      see(
          seen,
          "[CloudEvents](#cloudevents), batch",
          server,
          cloudEvents(new JsonArray(server.read("/v1/events" + READ, MediaTypes.CLOUD_EVENTS))));
      String stream = server.read("/v1/tail" + all, MediaTypes.EVENT_STREAM);
      see(
          seen,
          "tail",
          server,
          OwnClients.lines(
              stream
                  .lines()
                  .filter(line -> line.startsWith("data: {"))
                  .map(line -> line.substring("data: ".length()))
                  .collect(Collectors.joining("\n"))));
      see(
          seen,
          "tail, envelope lines",
          server,
          OwnClients.lines(server.read("/v1/tail" + all, envelopes)));
    }
    see(seen, "consumer, `eventbus`", consumers, java(consumers.events));
    seen.forEach(table::row);
  }

  private void deadLetters(Server server, RecordingSink sink, Path file) throws Exception {
    assertThat(server.events).isNotEmpty();
    Map<String, List<Seen>> seen = new LinkedHashMap<>();
    see(seen, "dead letters, `dead-letters.db`", server, OwnClients.deadLetters(file));
    JsonObject page = new JsonObject(server.read("/v1/dead-letters" + READ, MediaTypes.JSON));
    see(seen, "`GET /v1/dead-letters`", server, objects(page.getJsonArray("deadLetters")));
    sink.heal();
    TestGateway.await(server.gateway.bus.replayDeadLetters());
    seen.forEach(table::row);
    List<Places> replayed = sink.all().stream().map(Places::withoutPlace).toList();
    String title = "dead letters, replayed";
    see(seen, title, server, replayed);
    table.row(title, field -> FieldTable.cell(field, seen.get(title)), FieldTable.NOWHERE);
  }

  private void stores(Map<String, Server> stores, Map<String, Callable<List<Places>>> clients)
      throws Exception {
    Map<String, List<Seen>> seen = new LinkedHashMap<>();
    for (Map.Entry<String, Server> store : stores.entrySet()) {
      String sink = store.getKey();
      see(seen, store(sink), store.getValue(), clients.get(sink).call());
    }
    seen.forEach(table::row);
  }

  private static String store(String sink) {
    String anchor = sink.replaceFirst("`(\\w+)`.*", "$1").replace("memory", "memory-and-noop");
    return "[" + sink + "](sinks.md#" + anchor + ")";
  }

  private static List<Places> objects(JsonArray all) {
    return all.stream().map(JsonObject.class::cast).map(Places::of).toList();
  }

  private static List<Places> cloudEvents(JsonArray all) {
    return all.stream()
        .map(JsonObject.class::cast)
        .map(
            json ->
                Places.of(json)
                    .put(
                        "`source` and `id`", json.getString("source") + " " + json.getString("id")))
        .toList();
  }

  private static List<Places> java(List<StoredEvent> all) {
    return all.stream().map(each -> Places.of(each.producer(), each.event())).toList();
  }

  private static void see(
      Map<String, List<Seen>> seen, String title, Server server, List<Places> records) {
    assertThat(records).as(title).hasSameSizeAs(server.events);
    List<Seen> here = seen.computeIfAbsent(title, key -> new ArrayList<>());
    for (StoredEvent event : server.events) {
      List<Places> found =
          records.stream().filter(record -> record.has(event.event().payload())).toList();
      assertThat(found).as("%s: %s", title, event).hasSize(1);
      here.add(new Seen(event, found.get(0)));
    }
  }
}
