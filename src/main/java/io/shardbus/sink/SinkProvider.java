package io.shardbus.sink;

import io.vertx.core.json.JsonObject;

/** Makes sinks of one kind. Found by {@link java.util.ServiceLoader}, chosen by its name. */
public interface SinkProvider {

  /**
   * {@return the name by which configuration chooses this kind: short, in lower case, unique among
   * providers}
   */
  String name();

  /**
   * Makes a sink; it is opened later.
   *
   * @param config the sink's own options
   * @return the sink
   * @throws IllegalArgumentException if an option is unknown or out of range; it names the option,
   *     the value and what is allowed
   */
  Sink create(JsonObject config);
}
