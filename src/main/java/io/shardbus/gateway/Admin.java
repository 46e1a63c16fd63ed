package io.shardbus.gateway;

import io.shardbus.BusStats;
import io.shardbus.ShardBus;
import io.shardbus.event.ClusterNode;
import io.shardbus.event.EventTime;
import io.shardbus.event.Outcome;
import io.shardbus.shard.ScalingException;
import io.shardbus.shard.ScalingHistory;
import io.shardbus.shard.ShardAccounting;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.Storage;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.util.Locale;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** {@code /v1/shards}, {@code /v1/stats} and {@code /v1/cluster}. */
final class Admin {

  private final ShardBus bus;
  private final long beganNanos = System.nanoTime();
  private final Pages pages;
  private final RefusalCounters refusals;

  Admin(ShardBus bus, Pages pages, RefusalCounters refusals) {
    this.bus = bus;
    this.pages = pages;
    this.refusals = refusals;
  }

  static void send(HttpServerResponse response, int status, JsonObject json) {
    if (!response.ended() && !response.closed()) {
      response.setStatusCode(status).putHeader(HttpHeaders.CONTENT_TYPE, MediaTypes.JSON);
      HeadRequests.end(response, json.toBuffer().appendString("\n"));
    }
  }

  void stats(RoutingContext context) {
    BusStats stats = bus.stats();
    JsonObject refused =
        new JsonObject()
            .put(Outcome.BACKPRESSURE.word(), stats.total().backpressure())
            .put(Outcome.SAMPLED.word(), stats.total().sampled())
            .put(Outcome.UNROUTED.word(), stats.refusals().unrouted())
            .put(Outcome.CLOSED.word(), stats.refusals().closed())
            .put(Outcome.TOO_LARGE.word(), stats.refusals().tooLarge())
            .put(Outcome.INTERCEPTED.word(), stats.refusals().interceptedInAll());
    JsonObject byGateway = new JsonObject();
    refusals.counts().forEach((reason, count) -> byGateway.put(reason.word(), count.sum()));
    JsonObject json =
        new JsonObject()
            .put("offered", stats.offered())
            .put("accepted", stats.total().accepted())
            .put("refused", refused)
            .put("refusedByGateway", byGateway)
            .put("intercepted", new JsonObject(new TreeMap<>(stats.refusals().intercepted())))
            .put("duplicates", stats.ids().duplicates())
            .put("delivered", stats.total().delivered())
            .put("evicted", stats.total().evicted())
            .put("deadLettered", stats.total().deadLettered())
            .put("pendingInRings", stats.total().pendingInRing())
            .put("inFlight", stats.total().inFlight())
            .put("idsRemembered", stats.ids().remembered())
            .put("idsForgotten", stats.ids().forgotten())
            .put("waiting", stats.waiting())
            .put("deadLettersKept", stats.deadLettersKept())
            .put("fencedEvents", fenced(stats))
            .put("clockStepsBack", stats.clockStepsBack())
            .put("batches", stats.batches())
            .put(
                "scaling",
                new JsonObject()
                    .put("added", stats.scaling().added())
                    .put("removed", stats.scaling().removed())
                    .put("failed", stats.scaling().failed())
                    .put("slotsMoved", stats.scaling().slotsMoved())
                    .put("turnOvers", stats.scaling().turnOvers())
                    .put("limitedBy", stats.scaling().limit().name().toLowerCase(Locale.ROOT))
                    .put("limitReason", stats.scaling().limitReason())
                    .put("underWay", underWay())
                    .put("recent", recent()))
            .put("shards", stats.shards().size())
            .put("sink", bus.sink().name())
            .put("server", server());
    Storage storage = ReplayableSink.storageOf(bus.sink());
    if (storage != null) {
      json.put(
          "storage",
          new JsonObject()
              .put("bytes", storage.bytes())
              .put("oldest", text(storage.oldest()))
              .put("newest", text(storage.newest()))
              .put("freeBytes", storage.freeBytes()));
    }
    pages.send(context, json);
  }

  private JsonObject server() {
    Runtime memory = Runtime.getRuntime();
    return new JsonObject()
        .put("version", Admin.class.getPackage().getImplementationVersion())
        .put("uptimeSeconds", (System.nanoTime() - beganNanos) / 1_000_000_000)
        .put("heapBytes", memory.totalMemory() - memory.freeMemory())
        .put("heapMaxBytes", memory.maxMemory());
  }

  private static @Nullable String text(@Nullable Long time) {
    return time == null ? null : EventTime.text(time);
  }

  private static long fenced(BusStats stats) {
    return stats.shards().stream().mapToLong(shard -> shard.lanes().fencedEvents()).sum();
  }

  private JsonArray underWay() {
    JsonArray all = new JsonArray();
    for (ScalingHistory.Request request : bus.scalings().underWay()) {
      all.add(
          new JsonObject()
              .put("since", request.since().toString())
              .put("direction", request.direction().name().toLowerCase(Locale.ROOT))
              .put("cause", request.cause().name().toLowerCase(Locale.ROOT))
              .put("reason", request.reason()));
    }
    return all;
  }

  private JsonArray recent() {
    JsonArray all = new JsonArray();
    for (ScalingHistory.Entry entry : bus.scalings().recent()) {
      JsonObject json =
          new JsonObject()
              .put("at", entry.at().toString())
              .put("direction", entry.direction().name().toLowerCase(Locale.ROOT))
              .put("cause", entry.cause().name().toLowerCase(Locale.ROOT))
              .put("reason", entry.reason())
              .put("outcome", entry.outcome().name().toLowerCase(Locale.ROOT))
              .put("shards", new JsonArray(entry.shards()))
              .put("active", entry.active());
      if (!entry.detail().isEmpty()) {
        json.put("detail", entry.detail());
      }
      all.add(json);
    }
    return all;
  }

  void cluster(RoutingContext context) {
    bus.nodes()
        .onSuccess(
            nodes -> {
              JsonArray all = new JsonArray();
              nodes.forEach(node -> all.add(json(node)));
              send(context.response(), 200, new JsonObject().put("nodes", all));
            })
        .onFailure(context::fail);
  }

  private static JsonObject json(ClusterNode node) {
    JsonObject json =
        new JsonObject()
            .put("id", node.id())
            .put("name", node.name())
            .put("self", node.self())
            .put("answers", node.report() != null);
    return node.report() == null
        ? json.put("silentMillis", node.silentMillis())
        : json.mergeIn(node.report());
  }

  void shards(RoutingContext context) {
    JsonArray all = new JsonArray();
    bus.stats().shards().forEach(shard -> all.add(json(shard)));
    pages.send(context, new JsonObject().put("shards", all));
  }

  private static JsonObject json(BusStats.ShardStatus shard) {
    ShardAccounting account = shard.accounting();
    return new JsonObject()
        .put("id", shard.id())
        .put("state", shard.state().name().toLowerCase(Locale.ROOT))
        .put("capacity", shard.capacity())
        .put("fillRatio", shard.fillRatio())
        .put("slots", shard.slots())
        .put("lanes", shard.lanes().count())
        .put("fencedEvents", shard.lanes().fencedEvents())
        .put("fenceWaitMillis", shard.lanes().fencedMillis())
        .put("turnOvers", shard.lanes().turnOvers())
        .put("accepted", account.accepted())
        .put(
            "refused",
            new JsonObject()
                .put("backpressure", account.backpressure())
                .put("sampled", account.sampled()))
        .put("delivered", account.delivered())
        .put("evicted", account.evicted())
        .put("deadLettered", account.deadLettered())
        .put("pendingInRing", account.pendingInRing())
        .put("inFlight", account.inFlight())
        .put("circuit", shard.sink().circuit().name().toLowerCase(Locale.ROOT).replace('_', '-'))
        .put("failures", shard.sink().failures())
        .put("lastError", shard.sink().lastError());
  }

  void add(RoutingContext context) {
    int count;
    try {
      count = count(SmallBody.json(context));
    } catch (IllegalArgumentException e) {
      Problem.send(
          context.response(), 400, "the body must be {\"count\":n} with a whole number n from 1");
      return;
    }
    bus.scaleUp(count)
        .onSuccess(
            ids ->
                send(context.response(), 201, new JsonObject().put("shards", new JsonArray(ids))))
        .onFailure(e -> refused(context, e));
  }

  private static int count(@Nullable JsonObject body) {
    if (body == null
        || body.size() != 1
        || !(body.getValue("count") instanceof Integer count)
        || count < 1) {
      throw new IllegalArgumentException("count");
    }
    return count;
  }

  void remove(RoutingContext context) {
    long id = ReadParameters.whole(context.pathParam("id"));
    if (id < 0 || id > ReadParameters.MAX_SHARD) {
      Problem.send(context.response(), 404, "no shard with that id");
      return;
    }
    String wait = context.request().getParam("wait");
    if (wait != null && !wait.equals("true") && !wait.equals("false")) {
      Problem.send(context.response(), 400, "wait: \"" + wait + "\" must be true or false");
      return;
    }
    var removed = bus.removeShard((int) id);
    if ("false".equals(wait) && !removed.failed()) {
      context.response().setStatusCode(202).end();
      return;
    }
    removed
        .onSuccess(gone -> context.response().setStatusCode(204).end())
        .onFailure(e -> refused(context, e));
  }

  private static void refused(RoutingContext context, Throwable failure) {
    if (failure instanceof ScalingException scaling) {
      int status = scaling.reason() == ScalingException.Reason.UNKNOWN_SHARD ? 404 : 409;
      Problem.send(
          context.response(),
          status,
          String.valueOf(scaling.getMessage()),
          Problem.reason(scaling.reason().name().toLowerCase(Locale.ROOT)));
    } else {
      Problem.send(context.response(), 500, String.valueOf(failure.getMessage()));
    }
  }
}
