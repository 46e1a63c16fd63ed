package io.shardbus.sink;

import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;

/** Which sink to write to. */
@DataObject
public final class SinkOptions {

  /** The sink that is used if none is named. */
  public static final String DEFAULT_NAME = "log";

  private String name = DEFAULT_NAME;
  private JsonObject config = new JsonObject();

  /** The defaults. */
  public SinkOptions() {}

  /**
   * A sink with its defaults.
   *
   * @param name its name
   */
  public SinkOptions(String name) {
    setName(name);
  }

  /**
   * @param other the options to copy
   */
  public SinkOptions(SinkOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public SinkOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /** {@return the name of a {@link SinkProvider}} */
  public String getName() {
    return name;
  }

  /**
   * @param name the name of a {@link SinkProvider}
   * @return this
   */
  @OptionSpec(
      value = "where events go",
      min = "1",
      allowed =
          "`log`, `memory`, `noop`, `redis`, `jetstream`, `kafka`, `http`, `file`, `eventbus`, or"
              + " the name of a sink of your own")
  public SinkOptions setName(String name) {
    this.name = OptionRanges.check(this, "sink.name", name);
    return this;
  }

  /** {@return the sink's own options} */
  public JsonObject getConfig() {
    return config;
  }

  /**
   * @param config the sink's own options; the sink checks them
   * @return this
   */
  @OptionSpec("the options of the sink")
  public SinkOptions setConfig(JsonObject config) {
    this.config = config.copy();
    return this;
  }

  /** {@return all options as JSON} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
