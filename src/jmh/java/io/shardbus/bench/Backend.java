package io.shardbus.bench;

import io.shardbus.ShardBusOptions;
import io.shardbus.sink.SinkOptions;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.util.Locale;

/** The sinks that scaling is measured with, each with its server. */
enum Backend {
  MEMORY {
    @Override
    JsonObject open(ShardBusOptions options, Opened opened) {
      return new JsonObject();
    }
  },
  LOG {
    @Override
    JsonObject open(ShardBusOptions options, Opened opened) throws IOException {
      options.setDataDir(opened.add(new TemporaryFolder()).path().toString());
      return new JsonObject();
    }
  },
  REDIS {
    @Override
    JsonObject open(ShardBusOptions options, Opened opened) throws IOException {
      TemporaryFolder folder = opened.add(new TemporaryFolder());
      int port =
          opened
              .add(
                  ServerProcess.start(
                      folder.path(),
                      RedisWay.PROGRAM,
                      "--port",
                      "--save",
                      "",
                      "--appendonly",
                      "no"))
              .port();
      return new JsonObject().put("connectionString", "redis://127.0.0.1:" + port);
    }

    @Override
    boolean isInstalled() {
      return ServerProcess.isInstalled(RedisWay.PROGRAM);
    }
  },
  KAFKA {
    @Override
    JsonObject open(ShardBusOptions options, Opened opened) throws IOException {
      TemporaryFolder folder = opened.add(new TemporaryFolder());
      int port = opened.add(ServerProcess.java(folder.path(), KafkaProgram.class)).port();
      return new JsonObject().put("bootstrapServers", "127.0.0.1:" + port);
    }
  };

  /**
   * Starts what the sink needs.
   *
   * @param options are given what the bus needs for it
   * @return the sink's own options
   */
  abstract JsonObject open(ShardBusOptions options, Opened opened) throws IOException;

  boolean isInstalled() {
    return true;
  }

  String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  final SinkOptions sink(ShardBusOptions options, Opened opened) throws IOException {
    return new SinkOptions(word()).setConfig(open(options, opened));
  }
}
