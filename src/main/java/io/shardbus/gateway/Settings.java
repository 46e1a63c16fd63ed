package io.shardbus.gateway;

import io.shardbus.ShardBus;
import io.shardbus.options.OptionsJson;
import io.shardbus.shard.ScalingException;
import io.shardbus.shard.ScalingPolicy;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The settings that can change while the server runs: {@code /v1/limits}, {@code /v1/policy} and
 * {@code /v1/log-level}. Each answers with the settings in force. A PATCH changes all settings that
 * it names, or none.
 */
final class Settings {

  private static final Logger LOG = LoggerFactory.getLogger(Settings.class);

  private final ShardBus bus;
  private final Limits limits;

  Settings(ShardBus bus, Limits limits) {
    this.bus = bus;
    this.limits = limits;
  }

  void mount(Routes routes, SmallBody body) {
    serve(routes, body, "/v1/limits", limits::json, limits::change);
    serve(routes, body, "/v1/policy", () -> OptionsJson.write(bus.scalingPolicy()), this::policy);
    if (LogLevels.known()) {
      serve(
          routes,
          body,
          "/v1/log-level",
          () -> new JsonObject().put("level", LogLevels.level()),
          Settings::logLevel);
    }
  }

  private static void serve(
      Routes routes,
      SmallBody body,
      String path,
      Supplier<JsonObject> inForce,
      Consumer<JsonObject> change) {
    routes
        .get(path, Role.ADMIN)
        .handler(Routes.only())
        .handler(context -> answer(context, inForce));
    body.of(routes.patch(path, Role.ADMIN).handler(Routes.only()))
        .handler(
            context ->
                answer(
                    context,
                    () -> {
                      change.accept(object(context));
                      return inForce.get();
                    }));
  }

  private static JsonObject object(RoutingContext context) {
    JsonObject given = SmallBody.json(context);
    if (given == null) {
      throw new IllegalArgumentException(
          "the body must be a JSON object with the settings to change");
    }
    return given;
  }

  private static void answer(RoutingContext context, Supplier<JsonObject> what) {
    try {
      Admin.send(context.response(), 200, what.get());
    } catch (ScalingException e) {
      boolean fixed = e.reason() == ScalingException.Reason.SCALING_DISABLED;
      Problem.send(context.response(), fixed ? 409 : 400, String.valueOf(e.getMessage()));
    } catch (IllegalArgumentException e) {
      Problem.send(context.response(), 400, String.valueOf(e.getMessage()));
    }
  }

  private synchronized void policy(JsonObject changes) {
    ScalingPolicy before = bus.scalingPolicy();
    bus.changeScalingPolicy(OptionsJson.read(new ScalingPolicy(before), changes));
    LOG.info(
        "scaling policy changed from "
            + OptionsJson.write(before)
            + " to "
            + OptionsJson.write(bus.scalingPolicy()));
  }

  private static void logLevel(JsonObject changes) {
    if (!changes.fieldNames().equals(java.util.Set.of("level"))) {
      throw new IllegalArgumentException(
          "the body must be {\"level\":\"debug\"}, or another level");
    }
    LogLevels.change(changes.getValue("level"));
  }
}
