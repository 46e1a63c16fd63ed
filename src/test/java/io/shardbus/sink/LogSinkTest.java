package io.shardbus.sink;

import io.vertx.core.json.JsonObject;
import org.junit.jupiter.api.Test;

class LogSinkTest extends SinkContract {

  @Override
  ReplayableSink create() {
    return (ReplayableSink)
        Sinks.create(new SinkOptions("log").setConfig(new JsonObject().put("writers", 2)));
  }

  @Override
  boolean durable() {
    return true;
  }

  @Test
  void until_endsAWalkEarly() throws Exception {
    assertUntilEndsEarly();
  }
}
