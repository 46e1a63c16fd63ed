package io.shardbus.sink;

import io.shardbus.event.LineSplitter;
import io.shardbus.testing.Ports;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInfo;

/** The contract of all sinks, over HTTP to a server that keeps envelope lines in memory. */
@Tag("once")
class HttpSinkContractTest extends SinkContract {

  private final int port = Ports.free();
  private ReplayableSink memory;

  @Override
  @BeforeEach
  void open(TestInfo test) throws Exception {
    super.open(test);
    await(
        vertx
            .createHttpServer()
            .requestHandler(
                request ->
                    request
                        .body()
                        .compose(this::keep)
                        .onComplete(
                            kept ->
                                request.response().setStatusCode(kept.failed() ? 500 : 204).end()))
            .listen(port));
  }

  private Future<?> keep(Buffer body) {
    List<Future<Void>> kept = new ArrayList<>();
    LineSplitter lines = new LineSplitter(body.length() + 1);
    lines.feed(body, line -> kept.add(memory.write(ReadElsewhere.batch(line))));
    lines.end(line -> kept.add(memory.write(ReadElsewhere.batch(line))));
    return Future.all(kept);
  }

  @Override
  ReplayableSink create() {
    memory = ReadElsewhere.memory();
    Sink http =
        Sinks.create(
            new SinkOptions("http")
                .setConfig(
                    new JsonObject()
                        .put("url", "http://127.0.0.1:" + port + "/events")
                        .put("timeout", "30s")
                        .put("envelope", true)));
    return new ReadElsewhere(http, memory, Future::succeededFuture);
  }

  @Override
  boolean durable() {
    return false;
  }

  @Override
  boolean seeksTimes() {
    return false;
  }
}
