package io.shardbus.gateway;

import io.shardbus.ShardBus;
import io.shardbus.event.EventTime;
import io.shardbus.sink.DeadLetter;
import io.shardbus.sink.DeadLetters;
import io.shardbus.sink.DeadLetters.Kept;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.support.EventJson;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** {@code /v1/dead-letters}. */
final class DeadLetterRoutes {

  private static final int DEFAULT_LIMIT = 100;
  private static final int MAX_LIMIT = 1000;

  /** While a disk hangs, repeated requests must not fill the memory. */
  private static final int MAX_ASKED = 1_000;

  private final ShardBus bus;
  private final Pages pages;
  private final AtomicInteger asked = new AtomicInteger();

  DeadLetterRoutes(ShardBus bus, Pages pages) {
    this.bus = bus;
    this.pages = pages;
  }

  private <T> Future<T> ask(Function<DeadLetters, Future<T>> question) {
    if (asked.incrementAndGet() > MAX_ASKED) {
      asked.decrementAndGet();
      return Future.failedFuture("dead letters: " + MAX_ASKED + " requests wait already");
    }
    return question.apply(bus.deadLetters()).onComplete(answered -> asked.decrementAndGet());
  }

  void list(RoutingContext context) {
    long after;
    int limit;
    try {
      after = ReadParameters.number(context.request(), "after", 0, 0, Long.MAX_VALUE);
      limit = (int) ReadParameters.number(context.request(), "limit", DEFAULT_LIMIT, 1, MAX_LIMIT);
    } catch (IllegalArgumentException e) {
      Problem.send(context.response(), 400, String.valueOf(e.getMessage()));
      return;
    }
    ask(letters -> letters.list(after, limit))
        .onSuccess(
            page -> pages.send(context, MediaTypes.JSON, json(page, bus.deadLetters().kept())))
        .onFailure(e -> Problem.send(context.response(), 503, String.valueOf(e.getMessage())));
  }

  private static Buffer json(List<Kept> page, long count) {
    Buffer out = Buffer.buffer("{\"count\":" + count + ",\"deadLetters\":[");
    String separator = "";
    for (Kept kept : page) {
      DeadLetter letter = kept.letter();
      out.appendString(separator)
          .appendString("{\"id\":" + kept.id())
          .appendString(",\"cause\":" + Json.encode(letter.cause()))
          .appendString(",\"attempts\":" + letter.attempts())
          .appendString(",\"time\":\"" + EventTime.text(letter.time()) + "\"")
          .appendString(",\"of\":");
      EventJson.append(out, new StoredEvent(letter.producer(), letter.event()));
      out.appendString("}");
      separator = ",\n";
    }
    return out.appendString("]}\n");
  }

  void replay(RoutingContext context) {
    List<Long> ids;
    try {
      ids = ids(SmallBody.json(context));
    } catch (IllegalArgumentException e) {
      Problem.send(
          context.response(), 400, "the body must be {\"ids\":[1,2]}, or empty to replay all");
      return;
    }
    (ids == null ? bus.replayDeadLetters() : bus.replayDeadLetters(ids))
        .onSuccess(
            result ->
                Admin.send(
                    context.response(),
                    200,
                    new JsonObject()
                        .put("delivered", result.delivered())
                        .put("deadLettered", result.deadLettered())
                        .put("kept", result.kept())))
        .onFailure(
            e ->
                Problem.send(
                    context.response(),
                    e instanceof IllegalStateException ? 409 : 503,
                    String.valueOf(e.getMessage())));
  }

  private static @Nullable List<Long> ids(@Nullable JsonObject body) {
    if (body == null || body.isEmpty()) {
      return null;
    }
    if (body.size() != 1 || !(body.getValue("ids") instanceof JsonArray given)) {
      throw new IllegalArgumentException("ids");
    }
    List<Long> ids = new ArrayList<>();
    for (Object id : given) {
      if (!(id instanceof Integer || id instanceof Long)) {
        throw new IllegalArgumentException("ids");
      }
      ids.add(((Number) id).longValue());
    }
    return ids;
  }

  void removeAll(RoutingContext context) {
    if (context
        .normalizedPath()
        .endsWith("/")) { // a request with a missing id means one letter, not all
      Problem.send(context.response(), 404, "no dead letter with that id");
      return;
    }
    if (context.request().query() != null || !SmallBody.isEmpty(context)) {
      Problem.send(
          context.response(), 400, "this removes all: it takes no query and no body; use an id");
      return;
    }
    ask(DeadLetters::removeAll)
        .onSuccess(
            removed ->
                Admin.send(context.response(), 200, new JsonObject().put("removed", removed)))
        .onFailure(e -> Problem.send(context.response(), 503, String.valueOf(e.getMessage())));
  }

  void remove(RoutingContext context) {
    long id = ReadParameters.whole(context.pathParam("id"));
    if (id < 0) {
      Problem.send(context.response(), 404, "no dead letter with that id");
      return;
    }
    ask(letters -> letters.remove(List.of(id)))
        .onSuccess(
            removed -> {
              if (removed == 0) {
                Problem.send(context.response(), 404, "no dead letter with that id");
              } else {
                context.response().setStatusCode(204).end();
              }
            })
        .onFailure(e -> Problem.send(context.response(), 503, String.valueOf(e.getMessage())));
  }
}
