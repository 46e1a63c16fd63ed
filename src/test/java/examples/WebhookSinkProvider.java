package examples;

import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkProvider;
import io.vertx.core.json.JsonObject;

public class WebhookSinkProvider implements SinkProvider {
  @Override
  public String name() {
    return "webhook";
  }

  @Override
  public Sink create(JsonObject config) {
    String url = config.getString("url");
    if (url == null || config.size() > 1) {
      throw new IllegalArgumentException("url: the only option, and required");
    }
    return new WebhookSink(url);
  }
}
