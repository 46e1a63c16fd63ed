package io.shardbus.sink.eventbus;

import io.shardbus.event.Batch;
import io.shardbus.sink.SinkException;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.Message;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The consumer's side of the protocol. It has an event loop of its own, so a handler that blocks
 * its thread does not stop the heartbeats. State is touched on that loop only.
 */
final class MemberVerticle extends VerticleBase {

  private static final Logger LOG = LoggerFactory.getLogger(MemberVerticle.class);

  private final String id = UUID.randomUUID().toString();
  private final String address;
  private final int credits;
  private final @Nullable String secret;
  private final Function<Batch, Future<Void>> handler;
  private final @Nullable Context handlerContext;

  /** With the time until which the sink waits for an answer. */
  private final Map<Message<Buffer>, Long> running = new LinkedHashMap<>();

  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private @Nullable Promise<Void> leaving;

  /** A batch over the credits: each of several sinks counts them for itself. */
  private record Waiting(Message<Buffer> message, long deadline) {}

  MemberVerticle(
      String address,
      int credits,
      @Nullable String secret,
      Function<Batch, Future<Void>> handler,
      @Nullable Context handlerContext) {
    this.address = address;
    this.credits = credits;
    this.secret = secret;
    this.handler = handler;
    this.handlerContext = handlerContext;
  }

  @Override
  public Future<?> start() {
    vertx.eventBus().consumer(Protocol.censusAddress(address), message -> hello());
    vertx.setPeriodic(Protocol.HEARTBEAT.toMillis(), timer -> hello());
    return vertx
        .eventBus()
        .<Buffer>consumer(Protocol.memberAddress(address, id), this::received)
        .completion()
        .onSuccess(registered -> hello());
  }

  private void hello() {
    if (leaving == null) {
      long now = System.nanoTime();
      boolean late = running.values().stream().anyMatch(deadline -> deadline - now < 0);
      vertx.eventBus().publish(address, Protocol.hello(id, credits, late, secret));
    }
  }

  private void received(Message<Buffer> message) {
    if (message.headers().contains(Protocol.REFUSED_HEADER)) {
      LOG.error(address + ": a sink gives this consumer no events: it asks for another secret");
      return;
    }
    if (leaving != null) {
      handBack(message);
      return;
    }
    long timeout = Long.parseLong(message.headers().get(Protocol.TIMEOUT_HEADER));
    long now = System.nanoTime();
    Waiting next = new Waiting(message, now + TimeUnit.MILLISECONDS.toNanos(timeout));
    if (running.size() < credits) {
      run(next);
    } else {
      // No sink waits for the answers of these batches any more: they would pile up behind a
      // handler that hangs.
      waiting.removeIf(held -> held.deadline() - now < 0);
      waiting.add(next);
    }
  }

  private void run(Waiting next) {
    Message<Buffer> message = next.message();
    running.put(message, next.deadline());
    Promise<Void> done = Promise.promise();
    if (handlerContext == null) {
      handle(message, done);
    } else {
      handlerContext.runOnContext(now -> handle(message, done));
    }
    done.future()
        .onComplete(result -> context.runOnContext(now -> handled(message, result.cause())));
  }

  private void handle(Message<Buffer> message, Promise<Void> done) {
    Future<Void> answer;
    try {
      answer =
          Objects.requireNonNull(
              handler.apply(BatchCodec.decode(message.body())), "the handler returned no future");
    } catch (Throwable e) { // also an Error: the sink waits for the answer
      answer = Future.failedFuture(e);
    }
    answer.onComplete(done);
  }

  private void handled(Message<Buffer> message, @Nullable Throwable failure) {
    if (running.remove(message) == null) {
      return; // handed back in the meantime
    }
    if (failure == null) {
      tell(() -> message.reply(null));
    } else {
      tell(() -> refuse(message, failure));
    }
    runNext();
    if (leaving != null && running.isEmpty()) {
      leaving.tryComplete();
    }
  }

  private static void refuse(Message<Buffer> message, Throwable failure) {
    boolean forGood = failure instanceof SinkException known && known.isForGood();
    if (failure instanceof SinkException known && known.kind() == SinkException.Kind.PARTIAL) {
      Throwable cause = Objects.requireNonNull(known.getCause());
      message.fail(
          forGood ? Protocol.CODE_SOME_PERMANENT : Protocol.CODE_SOME_TRANSIENT,
          new SomeFailed(known.failed(), String.valueOf(cause.getMessage())).format());
    } else {
      message.fail(
          forGood ? Protocol.CODE_PERMANENT : Protocol.CODE_TRANSIENT,
          String.valueOf(failure.getMessage()));
    }
  }

  private void runNext() {
    Waiting next = waiting.poll();
    while (next != null && next.deadline() - System.nanoTime() < 0) {
      next = waiting.poll(); // no sink waits for its answer any more
    }
    if (next != null) {
      run(next);
    }
  }

  /** Completes when the handler has answered its batches. */
  Future<Void> leave() {
    Promise<Void> left = Promise.promise();
    context.runOnContext(
        now -> {
          sayBye();
          if (leaving != null) {
            leaving.future().onComplete(left);
          }
        });
    return left.future();
  }

  private void sayBye() {
    if (leaving != null) {
      return;
    }
    Promise<Void> promise = Promise.promise();
    leaving = promise;
    tell(() -> vertx.eventBus().publish(address, Protocol.bye(id)));
    waiting.forEach(held -> handBack(held.message()));
    waiting.clear();
    if (running.isEmpty()) {
      promise.complete();
    }
  }

  /**
   * If {@link #leave} was not called before, the batches of the handler go to another member at
   * once.
   */
  @Override
  public Future<?> stop() {
    sayBye();
    List<Message<Buffer>> unanswered = new ArrayList<>(running.keySet());
    running.clear();
    unanswered.forEach(MemberVerticle::handBack);
    if (leaving != null) {
      leaving.tryComplete();
    }
    return Future.succeededFuture();
  }

  private static void handBack(Message<Buffer> message) {
    tell(() -> message.fail(Protocol.CODE_NOT_MINE, "the consumer leaves"));
  }

  /** As in {@link ConsumerGroup}, the event bus may throw. Sinks find by time what they miss. */
  private static void tell(Runnable send) {
    try {
      send.run();
    } catch (Throwable e) { // also an Error: a consumer that leaves must come to its end
      LOG.debug("a sink was not told", e);
    }
  }
}
