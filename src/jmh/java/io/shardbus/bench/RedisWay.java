package io.shardbus.bench;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;
import java.io.IOException;
import java.util.List;

/** XADD to a Redis server of its own, the commands of a lot in one pipeline. */
final class RedisWay implements Way {

  static final String PROGRAM = "redis-server";

  private static final int MOST_KEPT = 100_000;

  private final Vertx vertx;
  private final String[] serverOptions;

  private RedisWay(Vertx vertx, String... serverOptions) {
    this.vertx = vertx;
    this.serverOptions = serverOptions;
  }

  static RedisWay inMemory(Vertx vertx) {
    return new RedisWay(vertx, "--save", "", "--appendonly", "no");
  }

  /** Answers when the disk has it. */
  static RedisWay synced(Vertx vertx) {
    return new RedisWay(
        vertx,
        "--save",
        "",
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
        "--auto-aof-rewrite-percentage",
        "0");
  }

  @Override
  public void open(Lots lots, Confirmations confirmations, Opened opened) throws IOException {
    TemporaryFolder folder = opened.add(new TemporaryFolder());
    ServerProcess server =
        opened.add(ServerProcess.start(folder.path(), PROGRAM, "--port", serverOptions));
    Redis client =
        Redis.createClient(
            vertx,
            new RedisOptions()
                .setConnectionString("redis://127.0.0.1:" + server.port())
                .setMaxWaitingHandlers(2 * Lots.UNDER_WAY * lots.size()));
    opened.add(client::close);
    Repeat repeat = opened.add(new Repeat());
    Lots.Cycle<List<Request>> commands = lots.as(RedisWay::commands);
    client
        .connect()
        .onSuccess(
            connection -> {
              for (int i = 0; i < Lots.UNDER_WAY; i++) {
                add(connection, commands, confirmations, repeat);
              }
            })
        .await();
  }

  private static List<Request> commands(List<byte[]> lot) {
    return lot.stream()
        .map(
            event ->
                Request.cmd(Command.XADD)
                    .arg("bench")
                    .arg("MAXLEN")
                    .arg("~")
                    .arg(MOST_KEPT)
                    .arg("*")
                    .arg("d")
                    .arg(Buffer.buffer(event)))
        .toList();
  }

  private static void add(
      RedisConnection connection,
      Lots.Cycle<List<Request>> commands,
      Confirmations confirmations,
      Repeat repeat) {
    long sentAt = System.nanoTime();
    connection
        .batch(commands.next())
        .onComplete(
            answers -> {
              if (answers.succeeded()) {
                confirmations.add(answers.result().size(), sentAt);
              }
              repeat.again(answers.cause(), () -> add(connection, commands, confirmations, repeat));
            });
  }
}
