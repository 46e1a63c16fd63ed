package io.shardbus;

import io.shardbus.event.BatchIngestResult;
import io.shardbus.event.IngestResult;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.DeliveryAck;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardManager;
import io.shardbus.shard.ShardMapper;
import io.shardbus.sink.DeadLetters;
import io.shardbus.sink.Sink;
import io.shardbus.verticle.DeliveryObserver;
import io.shardbus.verticle.DeliveryObservers;
import io.shardbus.verticle.IngestQueue;
import io.shardbus.verticle.Scaler;
import io.shardbus.verticle.ScalingHistory;
import io.shardbus.verticle.ShardDeployments;
import io.shardbus.verticle.SinkHealth;
import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.streams.WriteStream;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** The bus: everything that was wired together, and its end. */
final class DefaultShardBus implements ShardBus {

  private final Vertx vertx;
  private final ShardBusOptions options;
  private final DataFolder folder;
  private final Sink sink;
  private final DeadLetters deadLetters;
  private final ShardManager manager;
  private final ShardDeployments deployments;

  /** What each step of closing may take once the deadline has passed. */
  private static final long RELEASE_MILLIS = 1_000;

  private final Scaler scaler;
  private final DeliveryObservers observers;
  private final IngestQueue queue;
  private final Cancellations cancellations = new Cancellations();
  private final DeadLetterReplay replay;
  private final List<String> otherDeployments = new CopyOnWriteArrayList<>();
  private @Nullable Future<Void> closing;
  private volatile Runnable onClosed = () -> {};

  DefaultShardBus(
      Vertx vertx,
      ShardBusOptions options,
      DataFolder folder,
      Sink sink,
      DeadLetters deadLetters,
      ShardManager manager,
      ShardDeployments deployments,
      Scaler scaler,
      DeliveryObservers observers,
      IngestQueue queue) {
    this.vertx = vertx;
    this.options = options;
    this.folder = folder;
    this.sink = sink;
    this.deadLetters = deadLetters;
    this.manager = manager;
    this.deployments = deployments;
    this.scaler = scaler;
    this.observers = observers;
    this.queue = queue;
    this.replay = new DeadLetterReplay(deadLetters, queue);
  }

  void addDeployment(String id) {
    otherDeployments.add(id);
  }

  @Override
  public ShardManager shards() {
    return manager;
  }

  @Override
  public Sink sink() {
    return sink;
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
    queue.ingest(event, null, promise::complete);
    return onCaller(promise.future().compose(DefaultShardBus::orFail));
  }

  @Override
  public Future<IngestResult> ingestAwait(RawEvent event, Future<?> cancel) {
    Objects.requireNonNull(cancel, "cancel");
    Promise<IngestResult> promise = Promise.promise();
    Runnable giveUp = queue.ingest(event, null, promise::complete);
    if (!promise.future().isComplete()) {
      Runnable forget = cancellations.on(cancel, giveUp);
      promise.future().onComplete(settled -> forget.run());
    }
    return onCaller(promise.future().compose(DefaultShardBus::orFail));
  }

  @Override
  public Future<IngestResult> ingestAwait(RawEvent event, Duration patience) {
    Promise<IngestResult> promise = Promise.promise();
    queue.ingestWithin(event, nanos(patience), null, promise::complete);
    return onCaller(promise.future().compose(DefaultShardBus::orFail));
  }

  private <T> Future<T> onCaller(Future<T> answer) {
    return OnCaller.answer(vertx, answer);
  }

  private static long nanos(Duration patience) {
    return patience.compareTo(Duration.ofNanos(Long.MAX_VALUE)) < 0
        ? patience.toNanos()
        : Long.MAX_VALUE;
  }

  private static Future<IngestResult> orFail(IngestResult result) {
    return result.accepted()
        ? Future.succeededFuture(result)
        : Future.failedFuture(
            new NotDeliveredException(NotDeliveredException.Reason.of(result.outcome())));
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
    queue.ingest(event, confirmation, promise::complete);
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
    public void failed(Failure failure, int events) {
      settled.fail(new NotDeliveredException(NotDeliveredException.Reason.of(failure)));
    }
  }

  @Override
  public WriteStream<RawEvent> writeStream() {
    return new IngestStream(queue, this::maxStreamBytes, vertx.getOrCreateContext());
  }

  /** So that an event more, of whatever size, can wait too. */
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
    return observers.add(observer);
  }

  @Override
  public Future<Void> flush() {
    return onCaller(scaler.adoptThoseWithEvents().compose(done -> deployments.flushAll()));
  }

  @Override
  public DeadLetters deadLetters() {
    return deadLetters;
  }

  @Override
  public Future<DeadLetterReplay.Result> replayDeadLetters() {
    return onCaller(replay.all());
  }

  @Override
  public Future<DeadLetterReplay.Result> replayDeadLetters(Collection<Long> ids) {
    return onCaller(replay.some(ids));
  }

  @Override
  public BusStats stats() {
    Map<Integer, Integer> slots = manager.mapper().map(ShardMapper::slotsByShard).orElse(Map.of());
    List<BusStats.ShardStatus> shards =
        manager.shards().stream().map(shard -> status(shard, slots)).toList();
    return new BusStats(
        manager.accounting(),
        manager.refusals(),
        queue.waiting(),
        deadLetters.kept(),
        manager.stats().batchesDispatched(),
        new BusStats.Scaling(
            scaler.added(),
            scaler.removed(),
            scaler.failed(),
            manager.mapper().map(ShardMapper::slotsMoved).orElse(0L)),
        shards);
  }

  private BusStats.ShardStatus status(Shard shard, Map<Integer, Integer> slots) {
    return new BusStats.ShardStatus(
        shard.id(),
        shard.state(),
        shard.capacity(),
        shard.fillRatio(),
        manager.mapper().isEmpty() ? 1 : slots.getOrDefault(shard.id(), 0),
        shard.accounting(),
        sinkHealth(shard.id()));
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
      deployments.closing();
      closing =
          scaler
              .adoptThoseWithEvents()
              .transform(done -> scaler.close())
              .compose(
                  done -> inTime("the rings", vertx.executeBlocking(this::refuseNewEvents), true))
              .compose(done -> flushInTime())
              .transform(
                  flushed ->
                      release(flushed.succeeded())
                          .transform(released -> again(flushed.failed() ? flushed : released)))
              .andThen(done -> observers.closed())
              .onComplete(done -> onClosed.run());
    }
    return closing;
  }

  /** What to do once it is closed. */
  void onClosed(Runnable action) {
    onClosed = action;
  }

  private @Nullable Void refuseNewEvents() {
    manager.close();
    return null;
  }

  private Future<Void> flushInTime() {
    long millis = options.getCloseTimeout().toMillis();
    return deployments
        .flushAll()
        .compose(done -> scaler.removals().otherwiseEmpty())
        .timeout(millis, TimeUnit.MILLISECONDS)
        .recover(
            e -> {
              List<Shard> late =
                  manager.shards().stream().filter(shard -> undelivered(shard) > 0).toList();
              return Future.failedFuture(
                  new IllegalStateException(
                      late.stream().mapToLong(DefaultShardBus::undelivered).sum()
                          + " events of shards "
                          + late.stream().map(Shard::id).toList()
                          + " could not be delivered within "
                          + millis
                          + " ms"));
            });
  }

  private static long undelivered(Shard shard) {
    return shard.accounting().pending();
  }

  private static Future<Void> again(AsyncResult<Void> result) {
    return Future.future(promise -> promise.handle(result));
  }

  /** A sink that has had its time is not waited for again: what it was given may never end. */
  private Future<Void> release(boolean wait) {
    Future<?> others =
        Future.join(
            otherDeployments.stream().map(id -> vertx.undeploy(id).otherwiseEmpty()).toList());
    return inTime("the routers", others, wait)
        .transform(
            done ->
                wait
                    ? Future.<Void>succeededFuture()
                    : inTime("the shards", deployments.abandonAll(), false))
        .transform(done -> inTime("the shards", deployments.undeployAll(), wait))
        .transform(done -> inTime("sink " + sink.name(), sink.close(), wait))
        .transform(
            closed ->
                inTime("the dead letters", deadLetters.close(), wait)
                    .transform(done -> folder.release(vertx))
                    .transform(done -> again(closed)));
  }

  private <T> Future<T> inTime(String what, Future<T> end, boolean wait) {
    long millis = wait ? options.getCloseTimeout().toMillis() : RELEASE_MILLIS;
    return end.timeout(millis, TimeUnit.MILLISECONDS)
        .recover(
            e ->
                Future.failedFuture(
                    e instanceof TimeoutException
                        ? new IllegalStateException(
                            what + " did not close within " + millis + " ms")
                        : e));
  }
}
