package io.shardbus;

import io.shardbus.delivery.Scaler;
import io.shardbus.delivery.ShardDeployments;
import io.shardbus.delivery.WaitingRoom;
import io.shardbus.event.BatchIngestResult;
import io.shardbus.event.ClusterNode;
import io.shardbus.event.IngestResult;
import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.eventbus.ClusterNodes;
import io.shardbus.shard.DeliveryAck;
import io.shardbus.shard.IdWindow;
import io.shardbus.shard.Interceptor;
import io.shardbus.shard.ScalingHistory;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardManager;
import io.shardbus.shard.ShardMapper;
import io.shardbus.shard.ShardState;
import io.shardbus.sink.DeadLetters;
import io.shardbus.sink.DeliveryObserver;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkHealth;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import io.vertx.core.streams.WriteStream;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The bus: the parts, wired together. */
final class DefaultShardBus implements ShardBus, WaitingRoom.Holder {

  private final BusParts parts;
  private final Vertx vertx;
  private final ShardManager manager;
  private final ShardDeployments deployments;
  private final Scaler scaler;
  private final WaitingRoom waitingRoom;
  private final Cancellations cancellations = new Cancellations();
  private final OpenAnswers answers = new OpenAnswers();
  private final DeadLetterReplay replay;
  private final BusCloser closer;
  private final ClusterNodes cluster;
  private @Nullable Future<Void> closing;

  /** Set before the close refuses anything. */
  private volatile boolean begunToClose;

  DefaultShardBus(BusParts parts) {
    this.parts = parts;
    vertx = parts.vertx();
    manager = parts.manager();
    deployments = parts.deployments();
    scaler = parts.scaler();
    waitingRoom = parts.waitingRoom();
    replay = new DeadLetterReplay(parts.letters(), waitingRoom);
    closer = new BusCloser(parts);
    cluster = new ClusterNodes(vertx, this::report);
  }

  BusParts parts() {
    return parts;
  }

  @Override
  public Vertx vertx() {
    return vertx;
  }

  @Override
  public String address() {
    return parts.options().getAddress();
  }

  @Override
  public ShardManager shards() {
    return manager;
  }

  @Override
  public Sink sink() {
    return parts.sink().sink();
  }

  @Override
  public IngestResult ingest(RawEvent event) {
    return manager.ingestRaw(event);
  }

  @Override
  public IngestResult ingest(RawEvent event, @Nullable DeliveryAck ack) {
    return manager.ingestRaw(event, ack);
  }

  @Override
  public Runnable intercept(Interceptor interceptor) {
    return manager.addInterceptor(interceptor);
  }

  @Override
  public BatchIngestResult ingestBatch(List<RawEvent> events) {
    return manager.ingestRawBatch(events);
  }

  @Override
  public BatchIngestResult ingestBatch(List<RawEvent> events, @Nullable DeliveryAck ack) {
    return manager.ingestRawBatch(events, ack);
  }

  @Override
  public Future<IngestResult> ingestAwait(RawEvent event) {
    Promise<IngestResult> promise = Promise.promise();
    waitingRoom.ingest(event, null, promise::complete);
    return onCaller(promise.future().compose(DefaultShardBus::orFail));
  }

  @Override
  public Future<IngestResult> ingestAwait(RawEvent event, Future<?> cancel) {
    Objects.requireNonNull(cancel, "cancel");
    Promise<IngestResult> promise = Promise.promise();
    Runnable giveUp = waitingRoom.ingest(event, null, promise::complete);
    if (!promise.future().isComplete()) {
      Runnable forget = cancellations.on(cancel, giveUp);
      promise.future().onComplete(settled -> forget.run());
    }
    return onCaller(promise.future().compose(DefaultShardBus::orFail));
  }

  @Override
  public Future<IngestResult> ingestAwait(RawEvent event, Duration patience) {
    Promise<IngestResult> promise = Promise.promise();
    waitingRoom.ingestWithin(event, nanos(patience), null, promise::complete);
    return onCaller(promise.future().compose(DefaultShardBus::orFail));
  }

  private <T> Future<T> onCaller(Future<T> answer) {
    return OnCaller.answer(vertx, answer);
  }

  /** For answers that depend on verticles, which may be gone when the bus is closed. */
  private <T> Future<T> untilClosed(Future<T> answer) {
    return onCaller(answers.end(answer));
  }

  private static long nanos(Duration patience) {
    return patience.compareTo(Duration.ofNanos(Long.MAX_VALUE)) < 0
        ? patience.toNanos()
        : Long.MAX_VALUE;
  }

  private static Future<IngestResult> orFail(IngestResult result) {
    return result.accepted()
        ? Future.succeededFuture(result)
        : Future.failedFuture(new NotDeliveredException(result));
  }

  @Override
  public Future<IngestResult> deliver(RawEvent event) {
    Confirmation confirmation = new Confirmation();
    return onCaller(confirmation.of(orFail(manager.ingestRaw(event, confirmation))));
  }

  @Override
  public Future<IngestResult> deliverAwait(RawEvent event) {
    Confirmation confirmation = new Confirmation();
    Promise<IngestResult> promise = Promise.promise();
    waitingRoom.ingest(event, confirmation, promise::complete);
    return onCaller(confirmation.of(promise.future().compose(DefaultShardBus::orFail)));
  }

  /** What the sink makes of one event. */
  private static final class Confirmation implements DeliveryAck {

    private final Promise<Void> settled = Promise.promise();

    Future<IngestResult> of(Future<IngestResult> accepted) {
      return accepted.compose(result -> settled.future().map(result));
    }

    @Override
    public void delivered(int events) {
      settled.complete();
    }

    @Override
    public void failed(Outcome why, int events) {
      settled.fail(new NotDeliveredException(why));
    }
  }

  @Override
  public WriteStream<RawEvent> writeStream() {
    return new IngestStream(waitingRoom, this::maxStreamBytes, vertx.getOrCreateContext());
  }

  @Override
  public WaitingRoom waitingRoom() {
    return waitingRoom;
  }

  /** So that one more event of any size can wait too. */
  private long maxStreamBytes() {
    return manager.limits().maxRingBytes() - manager.limits().maxEventBytes();
  }

  @Override
  public Future<List<Integer>> scaleUp(int count) {
    return onCaller(scaler.scaleUp(count));
  }

  @Override
  public Future<List<Integer>> scaleDown(int count) {
    return onCaller(scaler.scaleDown(count));
  }

  @Override
  public Future<Void> removeShard(int id) {
    return onCaller(scaler.remove(id));
  }

  @Override
  public ScalingHistory scalings() {
    return scaler.history();
  }

  @Override
  public ScalingPolicy scalingPolicy() {
    return scaler.policy();
  }

  @Override
  public void changeScalingPolicy(ScalingPolicy policy) {
    scaler.changePolicy(policy);
  }

  @Override
  public Runnable observe(DeliveryObserver observer) {
    return parts.observers().add(observer);
  }

  @Override
  public Future<Void> flush() {
    return untilClosed(
        begunToClose
            ? closer.delivered()
            : scaler
                .adoptThoseWithEvents()
                .compose(done -> deployments.flushAll())
                // The end of the bus delivers the same events, and knows which it could not.
                .recover(e -> begunToClose ? closer.delivered() : Future.failedFuture(e)));
  }

  @Override
  public DeadLetters deadLetters() {
    return parts.letters();
  }

  @Override
  public Future<DeadLetters.ReplayResult> replayDeadLetters() {
    return untilClosed(replay.all());
  }

  @Override
  public Future<DeadLetters.ReplayResult> replayDeadLetters(Collection<Long> ids) {
    return untilClosed(replay.some(ids));
  }

  @Override
  public BusStats stats() {
    Map<Integer, Integer> slots = manager.mapper().map(ShardMapper::slotsByShard).orElse(Map.of());
    List<BusStats.ShardStatus> shards =
        manager.shards().stream().map(shard -> status(shard, slots)).toList();
    return new BusStats(
        manager.accounting(),
        manager.refusals(),
        manager.ids().map(DefaultShardBus::ids).orElse(new BusStats.Ids(0, 0, 0)),
        waitingRoom.waiting(),
        parts.letters().kept(),
        manager.stats().batchesDispatched(),
        manager.clockStepsBack(),
        new BusStats.Scaling(
            scaler.added(),
            scaler.removed(),
            scaler.failed(),
            manager.mapper().map(ShardMapper::slotsMoved).orElse(0L),
            manager.mapper().map(ShardMapper::turnOvers).orElse(0L),
            manager.scalingLimit(),
            manager.scalingLimitReason()),
        shards);
  }

  private static BusStats.Ids ids(IdWindow window) {
    return new BusStats.Ids(window.duplicates(), window.size(), window.forgotten());
  }

  private BusStats.ShardStatus status(Shard shard, Map<Integer, Integer> slots) {
    return new BusStats.ShardStatus(
        shard.id(),
        shard.state(),
        shard.capacity(),
        shard.fillRatio(),
        manager.mapper().isEmpty() ? 1 : slots.getOrDefault(shard.id(), 0),
        new BusStats.Lanes(
            shard.laneCount(),
            shard.fencedEvents(),
            TimeUnit.NANOSECONDS.toMillis(shard.fencedNanos()),
            shard.turnOvers()),
        shard.accounting(),
        sinkHealth(shard.id()));
  }

  ClusterNodes cluster() {
    return cluster;
  }

  @Override
  public Future<List<ClusterNode>> nodes() {
    return OnCaller.answer(vertx, cluster.ask());
  }

  private JsonObject report() {
    BusStats stats = stats();
    List<SinkHealth> failing =
        stats.shards().stream()
            .map(BusStats.ShardStatus::sink)
            .filter(sink -> sink.circuit() != SinkHealth.Circuit.CLOSED)
            .toList();
    JsonObject json =
        new JsonObject()
            .put(
                "shards",
                stats.shards().stream().filter(shard -> shard.state() == ShardState.ACTIVE).count())
            .put("accepted", stats.total().accepted())
            .put("refused", stats.refused())
            .put("delivered", stats.total().delivered())
            .put("deadLettered", stats.total().deadLettered())
            .put("lag", stats.total().pending())
            .put("sink", parts.sink().sink().name())
            .put("sinkFailing", failing.size());
    failing.stream()
        .map(SinkHealth::lastError)
        .filter(Objects::nonNull)
        .findFirst()
        .ifPresent(error -> json.put("error", error));
    notReady().ifPresent(reason -> json.put("notReady", reason));
    return json;
  }

  @Override
  public Optional<String> notReady() {
    if (manager.isClosed()) {
      return Optional.of("the bus is closed");
    }
    List<Shard> active =
        manager.shards().stream().filter(shard -> shard.state() == ShardState.ACTIVE).toList();
    if (active.isEmpty()) {
      return Optional.of("no shard is active");
    }
    String failing =
        manager.shards().stream()
            .filter(shard -> sinkHealth(shard.id()).circuit() != SinkHealth.Circuit.CLOSED)
            .map(shard -> Integer.toString(shard.id()))
            .collect(Collectors.joining(", "));
    if (!failing.isEmpty()) {
      return Optional.of("the sink " + sink().name() + " keeps failing for the shards " + failing);
    }
    return active.stream().allMatch(Shard::isFull)
        ? Optional.of("all rings are full")
        : Optional.empty();
  }

  @Override
  public SinkHealth sinkHealth(int shard) {
    return deployments.sinkHealth(shard);
  }

  @Override
  public Future<Void> close() {
    return onCaller(end());
  }

  /** Closes it; answers on any thread. */
  synchronized Future<Void> end() {
    if (closing == null) {
      begunToClose = true;
      manager.refuseAll(); // before anything that may have to wait
      deployments.closing();
      scaler.close();
      closing =
          closer
              .begin()
              .andThen(done -> parts.observers().closed())
              .onComplete(
                  done -> {
                    scaler.end();
                    answers.close();
                  });
    }
    return closing;
  }

  /** What to do once it is closed. */
  void onClosed(Runnable action) {
    closer.closed().onComplete(done -> action.run());
  }
}
