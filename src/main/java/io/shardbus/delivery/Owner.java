package io.shardbus.delivery;

import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import io.vertx.core.shareddata.LocalMap;
import io.vertx.core.shareddata.Shareable;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/*
 * Ownership: there is one owner for each verticle that has started something, and one for each Vert.x for what was
 * started outside of verticles. A local map of the Vert.x holds them. An owner leaves the map when it has closed all.
 *
 * Ordering: an owner is told of its verticle's end by a child of that verticle, its guard: Vert.x stops children before
 * their parent, and waits for them. It is told of its Vert.x's end by a close hook, before any verticle is stopped. It
 * closes gateways first, then buses.
 *
 * Why it is safe: a bus or gateway that is added is either closed at the end, or refused because the end has come; both
 * check under the monitor. The guard stays until its parent goes: undeploying it while the parent is being undeployed
 * would make that fail.
 */
/**
 * What was started in a verticle is closed before that verticle is undeployed; what was started
 * elsewhere is closed before its Vert.x. Safe for any thread.
 */
public final class Owner implements Shareable {

  private static final Logger LOG = LoggerFactory.getLogger(Owner.class);
  private static final String OWNERS = "io.shardbus.owners";

  /** Stands for the Vert.x itself; no deployment has this id. */
  private static final String OF_VERTX = "";

  private final LocalMap<String, Owner> owners;
  private final String id;
  private final Promise<Void> ready = Promise.promise();
  private final Set<Supplier<Future<Void>>> gateways = ConcurrentHashMap.newKeySet();
  private final Set<Supplier<Future<Void>>> buses = ConcurrentHashMap.newKeySet();
  private Runnable unhook = () -> {};
  private boolean closing;
  private final Promise<Void> closed = Promise.promise();

  private Owner(LocalMap<String, Owner> owners, String id) {
    this.owners = owners;
    this.id = id;
  }

  /**
   * Who owns what the caller starts.
   *
   * @param vertx the caller's
   * @return the verticle in whose context the caller is, or the Vert.x
   */
  public static Owner ofCaller(Vertx vertx) {
    String deployment = vertx.getOrCreateContext().deploymentID();
    LocalMap<String, Owner> owners = vertx.sharedData().getLocalMap(OWNERS);
    Owner fresh = new Owner(owners, deployment == null ? OF_VERTX : deployment);
    Owner known = owners.putIfAbsent(fresh.id, fresh);
    if (known != null) {
      return known;
    }
    fresh.begin(vertx);
    return fresh;
  }

  private void begin(Vertx vertx) {
    Runnable hook = CloseHook.set(vertx, this::close);
    synchronized (this) {
      unhook = hook;
    }
    if (id.equals(OF_VERTX)) {
      ready.complete();
      return;
    }
    // From the context of the caller, whose child it shall be.
    vertx
        .deployVerticle(
            new Guard(), new DeploymentOptions().setThreadingModel(ThreadingModel.EVENT_LOOP))
        .onSuccess(deployed -> ready.tryComplete())
        .onFailure(
            e -> {
              ready.tryFail(e);
              close();
            });
  }

  private final class Guard extends VerticleBase {

    /** Never fails: a parent whose child does not stop is not undeployed. */
    @Override
    public Future<?> stop() {
      return close();
    }
  }

  /** {@return completes when it will learn of its end; fails if that has come already} */
  public Future<Void> ready() {
    return ready.future();
  }

  /**
   * Takes a gateway.
   *
   * @param close closes it; idempotent
   * @return forgets it
   * @throws IllegalStateException if the owner ends
   */
  public Runnable ownGateway(Supplier<Future<Void>> close) {
    return own(gateways, close);
  }

  /**
   * Takes a bus. It is closed after the gateways.
   *
   * @param close closes it; idempotent
   * @return forgets it
   * @throws IllegalStateException if the owner ends
   */
  public Runnable ownBus(Supplier<Future<Void>> close) {
    return own(buses, close);
  }

  private synchronized Runnable own(Set<Supplier<Future<Void>>> all, Supplier<Future<Void>> close) {
    if (closing) {
      throw ending();
    }
    all.add(close);
    return () -> all.remove(close);
  }

  private IllegalStateException ending() {
    return new IllegalStateException(
        id.equals(OF_VERTX)
            ? "Vert.x is closing"
            : "the verticle that starts it is being undeployed");
  }

  private Future<Void> close() {
    synchronized (this) {
      if (closing) {
        return closed.future();
      }
      closing = true;
    }
    ready.tryFail(ending());
    closeAll(gateways)
        .transform(done -> closeAll(buses))
        .onComplete(
            done -> {
              owners.removeIfPresent(id, this);
              synchronized (this) {
                unhook.run();
              }
              closed.complete();
            });
    return closed.future();
  }

  private static Future<Void> closeAll(Set<Supplier<Future<Void>>> all) {
    List<Future<?>> ends = new ArrayList<>();
    for (Supplier<Future<Void>> close : all) {
      ends.add(
          NoContext.async(close::get)
              .onFailure(e -> LOG.error("closed with its owner: " + e.toString())));
    }
    return Future.join(ends).mapEmpty();
  }
}
