package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowable;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.nats.client.NKey;
import io.nats.client.support.JwtUtils;
import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.testing.Certificates;
import io.shardbus.testing.Ports;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** Redis and NATS, set up as operators set them up. */
@Tag("backend")
class ServerAccessTest {

  private final Vertx vertx = Vertx.vertx();
  private final List<ServerProcess> servers = new ArrayList<>();
  private final int port = Ports.free();
  @TempDir private Path dir;
  private Sink sink;

  @AfterEach
  void tearDown() throws Exception {
    if (sink != null) {
      await(sink.close());
    }
    await(vertx.close());
    for (ServerProcess server : servers) {
      server.kill();
    }
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private ServerProcess start(int at, String program, String... arguments) throws Exception {
    Path folder = Files.createDirectories(dir.resolve(program + at));
    ServerProcess server = new ServerProcess(at, folder, program, arguments);
    server.start();
    servers.add(server);
    return server;
  }

  private ServerProcess redis(int at, String... more) throws Exception {
    List<String> all =
        new ArrayList<>(
            List.of("--port", "" + at, "--bind", "127.0.0.1", "--save", "", "--dir", "" + dir));
    all.addAll(List.of(more));
    return start(at, "redis-server", all.toArray(String[]::new));
  }

  private void open(String name, JsonObject config) throws Exception {
    if (sink != null) {
      await(sink.close());
    }
    sink = Sinks.create(new SinkOptions(name).setConfig(config));
    await(sink.open(new SinkContext(vertx, new ProducerId("p", 1), null)));
  }

  private void write(long sequence) throws Exception {
    await(sink.write(batch(sequence)));
  }

  private static Batch batch(long sequence) {
    ShardEvent event = new ShardEvent(0, sequence, sequence + 1, Buffer.buffer("1"), "k");
    return new Batch(0, sequence, List.of(event), new ProducerId("p", 1));
  }

  private int stored() throws Exception {
    return await(((ReplayableSink) sink).read(EventQuery.of(null, 10))).events().size();
  }

  private JsonObject redisAt(int at) {
    return new JsonObject().put("connectionString", "redis://127.0.0.1:" + at);
  }

  @Test
  void sentinel_leadsToTheMasterAlsoAfterAFailover() throws Exception {
    ServerProcess master = redis(port);
    int replica = Ports.free();
    redis(replica, "--replicaof", "127.0.0.1 " + port);
    int watcher = Ports.free();
    Path config = dir.resolve("sentinel.conf");
    Files.writeString(
        config,
        """
        port %d
        bind 127.0.0.1
        sentinel monitor mine 127.0.0.1 %d 1
        sentinel down-after-milliseconds mine 500
        sentinel failover-timeout mine 2000
        """
            .formatted(watcher, port));
    start(watcher, "redis-server", config.toString(), "--sentinel");
    open("redis", redisAt(watcher).put("masterName", "mine").put("timeout", "5s"));
    write(0);
    Path info = dir.resolve("info");
    Awaitility.await()
        .atMost(60, TimeUnit.SECONDS)
        .until(() -> cli(info, replica, "xlen", "shardbus:shard:0").equals("1"));
    Awaitility.await()
        .atMost(60, TimeUnit.SECONDS)
        .until(() -> cli(info, watcher, "sentinel", "replicas", "mine").contains("" + replica));
    master.kill();
    Awaitility.await()
        .atMost(90, TimeUnit.SECONDS)
        .ignoreExceptions()
        .untilAsserted(() -> write(1));
    assertThat(cli(info, replica, "xlen", "shardbus:shard:0")).isEqualTo("2");
    open("redis", redisAt(replica));
    assertThat(stored()).isEqualTo(2);
  }

  private static String cli(Path out, int at, String... command) throws Exception {
    List<String> all = new ArrayList<>(List.of("redis-cli", "-p", "" + at));
    all.addAll(List.of(command));
    new ProcessBuilder(all).redirectOutput(out.toFile()).start().waitFor();
    return Files.readString(out).strip();
  }

  @Test
  void clusterAndSentinel_areRefusedByName() throws Exception {
    redis(port, "--cluster-enabled", "yes");
    assertThat(catchThrowable(() -> open("redis", redisAt(port))))
        .hasMessageContaining("127.0.0.1:" + port)
        .hasMessageContaining("Redis Cluster, which is not supported");
    int watcher = Ports.free();
    Path config = Files.writeString(dir.resolve("sentinel.conf"), "port " + watcher + "\n");
    start(watcher, "redis-server", config.toString(), "--sentinel");
    assertThat(catchThrowable(() -> open("redis", redisAt(watcher))))
        .hasMessageContaining("it is a Sentinel: set masterName");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> open("redis", new JsonObject().put("connectionString", "redis://a,redis://b")))
        .withMessageContaining("masterName");
  }

  @Test
  void evictionPolicy_isWarnedOfIfItCanDropKeys() throws Exception {
    Logger logger = (Logger) LoggerFactory.getLogger("io.shardbus.sink.redis.RedisServer");
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    logger.addAppender(log);
    try {
      redis(port, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru");
      open("redis", redisAt(port));
      assertThat(log.list)
          .singleElement()
          .satisfies(one -> assertThat(one.getFormattedMessage()).contains("maxmemory-policy"));
      int other = Ports.free();
      redis(other, "--maxmemory-policy", "allkeys-lru");
      open("redis", redisAt(other));
      assertThat(log.list).hasSize(1);
      int another = Ports.free(); // what it remembers of the producers can expire
      redis(another, "--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru");
      open("redis", redisAt(another));
      assertThat(log.list).hasSize(2);
    } finally {
      logger.detachAppender(log);
    }
  }

  @Test
  void redisOverTls_isTrustedByItsStore() throws Exception {
    Certificates own = Certificates.make(dir, "localhost");
    redis(
        port,
        "--port",
        "0",
        "--tls-port",
        "" + port,
        "--tls-cert-file",
        own.pem(),
        "--tls-key-file",
        own.keyPem(),
        "--tls-ca-cert-file",
        own.pem());
    JsonObject tls = new JsonObject().put("trustStore", own.pem()).put("keyStore", own.both());
    JsonObject config = new JsonObject().put("connectionString", "rediss://localhost:" + port);
    assertThat(catchThrowable(() -> open("redis", config.copy()))).isNotNull();
    open("redis", config.put("tls", tls));
    write(0);
    assertThat(stored()).isOne();
  }

  private void nats(String more) throws Exception {
    Path config = dir.resolve("nats.conf");
    Files.writeString(
        config,
        "listen: \"127.0.0.1:%d\"\njetstream { store_dir: \"%s\" }\n%s\n"
            .formatted(port, dir.resolve("js"), more));
    start(port, "nats-server", "-c", config.toString());
  }

  private JsonObject natsConfig(String scheme) {
    return new JsonObject().put("servers", scheme + "://localhost:" + port);
  }

  @Test
  void nkey_opensTheDoor() throws Exception {
    NKey user = NKey.createUser(null);
    nats("authorization { users: [ { nkey: \"" + new String(user.getPublicKey()) + "\" } ] }");
    Path seed = Files.writeString(dir.resolve("seed"), new String(user.getSeed()) + "\n");
    open("jetstream", natsConfig("nats").put("nkeyFile", seed.toString()));
    write(0);
    assertThat(stored()).isOne();
    Path wrong =
        Files.writeString(dir.resolve("wrong"), new String(NKey.createUser(null).getSeed()));
    assertThat(
            catchThrowable(
                () -> open("jetstream", natsConfig("nats").put("nkeyFile", wrong.toString()))))
        .hasMessageContaining("user, password, token or key is wrong");
  }

  @Test
  void credsFile_opensTheDoor() throws Exception {
    NKey operator = NKey.createOperator(null);
    NKey account = NKey.createAccount(null);
    NKey system = NKey.createAccount(null);
    NKey user = NKey.createUser(null);
    nats(
        """
        trusted_keys: [ "%s" ]
        system_account: "%s"
        resolver: MEMORY
        resolver_preload: { "%s": "%s", "%s": "%s" }
        """
            .formatted(
                text(operator),
                text(system),
                text(account),
                accountJwt(operator, account, -1),
                text(system),
                accountJwt(operator, system, 0)));
    String jwt = JwtUtils.issueUserJWT(account, text(account), text(user));
    Path creds =
        Files.writeString(
            dir.resolve("bus.creds"),
            """
            -----BEGIN NATS USER JWT-----
            %s
            ------END NATS USER JWT------

            -----BEGIN USER NKEY SEED-----
            %s
            ------END USER NKEY SEED------
            """
                .formatted(jwt, new String(user.getSeed())));
    open("jetstream", natsConfig("nats").put("credsFile", creds.toString()));
    write(0);
    assertThat(stored()).isOne();
    assertThat(catchThrowable(() -> open("jetstream", natsConfig("nats")))).isNotNull();
  }

  private static String text(NKey key) throws Exception {
    return new String(key.getPublicKey());
  }

  private static String accountJwt(NKey operator, NKey account, int storage) throws Exception {
    JsonObject limits = new JsonObject().put("mem_storage", storage).put("disk_storage", storage);
    for (String limit :
        List.of("subs", "data", "payload", "imports", "exports", "conn", "leaf", "streams")) {
      limits.put(limit, -1);
    }
    JsonObject claims =
        new JsonObject()
            .put("jti", "id")
            .put("iat", 1_700_000_000)
            .put("iss", text(operator))
            .put("name", "a")
            .put("sub", text(account))
            .put(
                "nats",
                new JsonObject()
                    .put("limits", limits.put("wildcards", true).put("consumer", -1))
                    .put("type", "account")
                    .put("version", 2));
    JsonObject header = new JsonObject().put("typ", "JWT").put("alg", "ed25519-nkey");
    String signed =
        base64(header.encode().getBytes(StandardCharsets.UTF_8))
            + "."
            + base64(claims.encode().getBytes(StandardCharsets.UTF_8));
    return signed + "." + base64(operator.sign(signed.getBytes(StandardCharsets.UTF_8)));
  }

  private static String base64(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  @Test
  void clientCertificate_opensTheDoorOfNats() throws Exception {
    Certificates own = Certificates.make(dir, "localhost");
    nats(
        """
        tls { cert_file: "%s", key_file: "%s", ca_file: "%s", verify: true }
        """
            .formatted(own.pem(), own.keyPem(), own.pem()));
    JsonObject trust = new JsonObject().put("trustStore", own.pem());
    assertThat(catchThrowable(() -> open("jetstream", natsConfig("tls").put("tls", trust.copy()))))
        .isNotNull();
    for (JsonObject tls :
        List.of(
            trust.copy().put("keyStore", own.both()),
            trust.copy().put("keyStore", own.store()).put("keyStorePassword", "changeit"))) {
      open("jetstream", natsConfig("tls").put("tls", tls));
      write(0);
      assertThat(stored()).isOne();
    }
  }

  @Test
  void twoWaysIn_areRefused() throws IOException {
    Path file = Files.writeString(dir.resolve("f"), "x");
    JsonObject both =
        natsConfig("nats")
            .put("nkeyFile", file.toString())
            .put("token", "t")
            .put("tls", new JsonObject());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Sinks.create(new SinkOptions("jetstream").setConfig(both)))
        .withMessageContaining("only one is allowed");
  }

  /** As Compose names hosts. */
  @Test
  void hostsWithUnderscores_areTaken() {
    for (JsonObject each :
        List.of(
            new JsonObject().put("n", "redis").put("connectionString", "redis://my_redis:6379"),
            new JsonObject().put("n", "jetstream").put("servers", "nats://my_nats:4222"),
            new JsonObject().put("n", "kafka").put("bootstrapServers", "my_kafka:9092"),
            new JsonObject().put("n", "http").put("url", "http://my_host/x"))) {
      JsonObject config = each.copy();
      config.remove("n");
      assertThat(Sinks.create(new SinkOptions(each.getString("n")).setConfig(config))).isNotNull();
    }
  }
}
