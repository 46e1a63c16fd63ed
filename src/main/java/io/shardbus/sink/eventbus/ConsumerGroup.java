package io.shardbus.sink.eventbus;

import io.shardbus.event.Batch;
import io.shardbus.options.SharedSecret;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import io.vertx.core.json.JsonObject;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The sink's side of the protocol: keeps the members and sends each batch to the owner of its
 * shard, one batch of a shard at a time. It has an event loop of its own, and state is touched on
 * that loop only.
 */
final class ConsumerGroup extends VerticleBase {

  private static final Logger LOG = LoggerFactory.getLogger(ConsumerGroup.class);
  private static final int MAX_REFUSED = 1000;
  private static final int SWEEPS_PER_TIMEOUT = 4;

  /** A shard without a batch for longer is gone, or may as well move. */
  private static final long IDLE_NANOS = TimeUnit.MINUTES.toNanos(10);

  private final EventBusSinkOptions options;
  private final Members members = new Members();
  private final Map<Integer, Dispatch> underWay = new HashMap<>();

  /** Those that were told so. */
  private final Set<String> refused = new HashSet<>();

  private boolean ignored;
  private long lastSweep;
  private @Nullable Promise<Void> closing;

  ConsumerGroup(EventBusSinkOptions options) {
    this.options = options;
  }

  @Override
  public Future<?> start() {
    lastSweep = System.nanoTime();
    long interval = Math.max(1, options.getMemberTimeout().toMillis() / SWEEPS_PER_TIMEOUT);
    vertx.setPeriodic(interval, timer -> sweep());
    return vertx
        .eventBus()
        .consumer(options.getAddress(), this::announced)
        .completion()
        .onSuccess(
            registered ->
                vertx.eventBus().publish(Protocol.censusAddress(options.getAddress()), null));
  }

  /** From any thread. */
  Future<Void> write(Batch batch) {
    Promise<Void> promise = Promise.promise();
    context.runOnContext(now -> begin(batch, promise));
    return promise.future();
  }

  /** From any thread: takes no more batches and completes when none is under way. */
  Future<Void> drain() {
    Promise<Void> promise = Promise.promise();
    context.runOnContext(
        now -> {
          closing = promise;
          for (Member member : members.all()) {
            member.takeWaiting().forEach(this::send);
          }
          completeIfDrained();
        });
    return promise.future();
  }

  private void begin(Batch batch, Promise<Void> promise) {
    Dispatch before = underWay.get(batch.shard());
    if (before != null) {
      // The bus gave up waiting. Usually it repeats the batch, and one answer is good for both.
      if (before.batch.equals(batch)) {
        before.promise.future().onComplete(promise);
      } else {
        before.promise.future().onComplete(done -> begin(batch, promise));
      }
      return;
    }
    Dispatch dispatch;
    try {
      dispatch = new Dispatch(batch);
    } catch (Throwable e) { // memory may be missing, and the bus waits for the answer
      promise.fail(e);
      return;
    }
    dispatch.promise.future().onComplete(promise);
    underWay.put(batch.shard(), dispatch);
    send(dispatch);
  }

  private void send(Dispatch dispatch) {
    if (closing != null) {
      fail(dispatch, SinkException.transientFailure("the sink is closed"));
      return;
    }
    Member owner = members.ownerOf(dispatch.batch.shard(), System.nanoTime());
    if (owner == null) {
      fail(
          dispatch,
          SinkException.transientFailure("no consumer at address " + options.getAddress()));
      return;
    }
    owner.enqueue(dispatch);
    useCredits(owner);
  }

  private void useCredits(Member member) {
    for (Dispatch next = member.next(); next != null; next = member.next()) {
      request(member, next);
    }
  }

  private void request(Member member, Dispatch dispatch) {
    int attempt = ++dispatch.attempt;
    long timeout = options.getRequestTimeout().toMillis();
    Batch batch = dispatch.batch;
    DeliveryOptions request =
        new DeliveryOptions()
            .setSendTimeout(timeout)
            .addHeader(Protocol.TIMEOUT_HEADER, Long.toString(timeout))
            .addHeader(
                Protocol.DEDUPLICATION_ID_HEADER, batch.deduplicationId(batch.events().get(0)));
    ask(Protocol.memberAddress(options.getAddress(), member.id), dispatch.body, request)
        .onComplete(
            answer -> {
              if (attempt == dispatch.attempt) { // otherwise another member has it now
                answered(member, dispatch, answer.cause());
              }
            });
  }

  /** A clustered event bus may throw while the connection to a node that was killed breaks. */
  private Future<Message<Buffer>> ask(String address, Buffer body, DeliveryOptions request) {
    try {
      return vertx.eventBus().request(address, body, request);
    } catch (Throwable e) { // also an Error: the bus waits for the answer
      return Future.failedFuture(e);
    }
  }

  private void answered(Member member, Dispatch dispatch, @Nullable Throwable failure) {
    member.givesBack(dispatch);
    if (failure == null) {
      member.answers();
      finish(dispatch);
      dispatch.promise.complete();
    } else if (failure instanceof ReplyException reply) {
      refused(member, dispatch, reply);
    } else {
      fail(dispatch, SinkException.transientFailure(String.valueOf(failure.getMessage()), failure));
    }
    useCredits(member);
  }

  private void refused(Member member, Dispatch dispatch, ReplyException reply) {
    if (reply.failureType() == ReplyFailure.NO_HANDLERS) {
      lost(member, "it cannot be reached");
      send(dispatch);
    } else if (reply.failureType() == ReplyFailure.TIMEOUT) {
      // Tell the bus, which counts attempts: a batch that hangs every member must not go round for
      // ever.
      members.moveAway(dispatch.batch.shard(), member, System.nanoTime());
      fail(
          dispatch,
          SinkException.transientFailure(
              "consumer "
                  + member.id
                  + " did not answer within "
                  + options.getRequestTimeout().toMillis()
                  + " ms"));
    } else if (reply.failureCode() == Protocol.CODE_NOT_MINE) {
      left(member.id);
      send(dispatch);
    } else {
      member.answers();
      fail(dispatch, failureOf(member, dispatch.batch, reply));
    }
  }

  private static SinkException failureOf(Member member, Batch batch, ReplyException reply) {
    String prefix = "consumer " + member.id + ": ";
    int code = reply.failureCode();
    boolean some = code == Protocol.CODE_SOME_PERMANENT || code == Protocol.CODE_SOME_TRANSIENT;
    SomeFailed failed = some ? SomeFailed.parse(reply.getMessage(), batch.size()) : null;
    if (failed == null) {
      String message = prefix + reply.getMessage();
      return code == Protocol.CODE_PERMANENT
          ? SinkException.permanentFailure(message)
          : SinkException.transientFailure(message);
    }
    String message = prefix + failed.reason();
    return SinkException.partial(
        batch,
        failed.indexes(),
        code == Protocol.CODE_SOME_PERMANENT
            ? SinkException.permanentFailure(message)
            : SinkException.transientFailure(message));
  }

  private void fail(Dispatch dispatch, SinkException failure) {
    finish(dispatch);
    dispatch.promise.fail(failure);
  }

  private void finish(Dispatch dispatch) {
    underWay.remove(dispatch.batch.shard());
    completeIfDrained();
  }

  private void completeIfDrained() {
    if (closing != null && underWay.isEmpty()) {
      closing.tryComplete();
    }
  }

  private void announced(Message<Object> message) {
    if (!(message.body() instanceof JsonObject json
        && json.getValue(Protocol.MEMBER) instanceof String id)) {
      ignore("a message that no consumer sends");
    } else if (Protocol.BYE.equals(json.getValue(Protocol.TYPE))) {
      left(id);
    } else if (Protocol.HELLO.equals(json.getValue(Protocol.TYPE))
        && json.getValue(Protocol.CREDITS) instanceof Integer credits
        && credits > 0) {
      String secret = json.getValue(SharedSecret.NAME) instanceof String text ? text : null;
      if (!SharedSecret.matches(options.getSecret(), secret)) {
        refuse(id);
        return;
      }
      joinedOrAlive(
          id, credits, json.getValue(Protocol.LATE) instanceof Boolean late ? late : null);
    } else {
      ignore("a malformed message of " + id);
    }
  }

  /** Somebody may send events here, at any rate. So only the first is worth a line. */
  private void ignore(String what) {
    if (!ignored) {
      ignored = true;
      LOG.warn(options.getAddress() + ": ignored " + what + "; further ones are not logged");
    }
  }

  private void refuse(String id) {
    if (refused.size() >= MAX_REFUSED) {
      refused.clear();
    }
    if (refused.add(id)) {
      LOG.warn(options.getAddress() + ": consumer " + id + " gets no events: wrong secret");
      vertx
          .eventBus()
          .send(
              Protocol.memberAddress(options.getAddress(), id),
              null,
              new DeliveryOptions().addHeader(Protocol.REFUSED_HEADER, "secret"));
    }
  }

  private void joinedOrAlive(String id, int credits, @Nullable Boolean late) {
    if (members.seen(id, credits, late, System.nanoTime())) {
      LOG.info(options.getAddress() + ": consumer " + id + " joined with " + credits + " credits");
    }
  }

  /** The member still answers the batches that it has. */
  private void left(String id) {
    Member member = members.remove(id);
    if (member != null) {
      LOG.info(options.getAddress() + ": consumer " + id + " left");
      member.takeWaiting().forEach(this::send);
    }
  }

  /** The batches of the member go to another member, so they may be delivered twice. */
  private void lost(Member member, String reason) {
    members.remove(member.id);
    List<Dispatch> unanswered = member.takeInFlight();
    LOG.warn(
        options.getAddress()
            + ": consumer "
            + member.id
            + " is lost, "
            + reason
            + "; batches that are delivered again: "
            + unanswered.size());
    for (Dispatch dispatch : unanswered) {
      dispatch.attempt++;
      send(dispatch);
    }
    member.takeWaiting().forEach(this::send);
  }

  private void sweep() {
    long now = System.nanoTime();
    long timeout = options.getMemberTimeout().toNanos();
    boolean late = now - lastSweep > timeout / 2;
    lastSweep = now;
    members.forgetIdle(now - IDLE_NANOS);
    if (late) {
      return; // this loop stood still: heartbeats wait to be read
    }
    for (Member member : members.silentSince(now - timeout)) {
      lost(member, "silent for " + options.getMemberTimeout().toMillis() + " ms");
    }
  }
}
