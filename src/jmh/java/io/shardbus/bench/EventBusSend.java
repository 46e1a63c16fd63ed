package io.shardbus.bench;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.MessageConsumerOptions;

/**
 * The event bus of Vert.x: an address and a verticle for each shard. It takes whatever is sent, so
 * the producers bound what is under way to as much as the rings hold.
 */
final class EventBusSend implements Pipeline {

  private static final int CHECK_EVERY = 64;

  private final Vertx vertx = Vertx.vertx();
  private final String[] addresses;
  private final Counts sent;
  private final Counts counts;
  private final long window;

  EventBusSend(int producers, int shards) {
    addresses = new String[shards];
    sent = new Counts(producers);
    counts = new Counts(shards);
    window = (long) RING_CAPACITY * shards;
    for (int shard = 0; shard < shards; shard++) {
      addresses[shard] = "bench." + shard;
      vertx.deployVerticle(new Receiver(shard)).await();
    }
  }

  private final class Receiver extends VerticleBase {

    private final int shard;
    private final SequencingConsumer consumer;

    Receiver(int shard) {
      this.shard = shard;
      consumer = new SequencingConsumer(counts, shard);
    }

    @Override
    public Future<?> start() {
      MessageConsumerOptions options =
          new MessageConsumerOptions()
              .setAddress(addresses[shard])
              .setLocalOnly(true)
              .setMaxBufferedMessages(Math.toIntExact(window));
      return vertx
          .eventBus()
          .<Buffer>consumer(options, message -> receive(message.body()))
          .completion();
    }

    private void receive(Buffer body) {
      consumer.accept(new RingEvent(body, 0, System.nanoTime()));
      consumer.publish();
    }
  }

  @Override
  public Inlet inlet(int producer) {
    EventBus eventBus = vertx.eventBus();
    DeliveryOptions options = new DeliveryOptions().setLocalOnly(true);
    Idle idle = new Idle();
    return new Inlet() {
      private int unchecked;

      @Override
      public int push(Payload payload) {
        if (++unchecked == CHECK_EVERY) {
          unchecked = 0;
          awaitRoom(producer, idle);
        }
        long hash = payload.computeHash();
        eventBus.send(addresses[RingEvent.ring(hash, addresses.length)], payload.buffer(), options);
        return 1;
      }
    };
  }

  private void awaitRoom(int producer, Idle idle) {
    sent.add(producer, CHECK_EVERY, 0);
    idle.reset();
    while (sent.events() - counts.events() > window) {
      idle.pause();
    }
  }

  @Override
  public long consumed() {
    return counts.events();
  }

  @Override
  public long bytes() {
    return counts.bytes();
  }

  @Override
  public void close() {
    vertx.close().await();
  }
}
