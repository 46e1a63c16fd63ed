package io.shardbus;

import io.vertx.core.Vertx;
import io.vertx.core.shareddata.LocalMap;
import io.vertx.core.shareddata.Shareable;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The address of a bus, from the beginning of its start to its end. No other bus of the same Vert.x
 * has it. Safe for any thread.
 */
final class Claim implements Shareable {

  private static final String CLAIMS = "io.shardbus.buses";

  private final LocalMap<String, Claim> claims;
  private final String address;
  private volatile @Nullable ShardBus bus;

  private Claim(LocalMap<String, Claim> claims, String address) {
    this.claims = claims;
    this.address = address;
  }

  /** Throws {@link IllegalStateException} if another bus has the address. */
  static Claim take(Vertx vertx, String address) {
    LocalMap<String, Claim> claims = vertx.sharedData().getLocalMap(CLAIMS);
    Claim claim = new Claim(claims, address);
    if (claims.putIfAbsent(address, claim) != null) {
      throw new IllegalStateException(
          "address: another bus of this Vert.x has \""
              + address
              + "\": give each bus an address of its own, or close the other bus first");
    }
    return claim;
  }

  static Optional<ShardBus> find(Vertx vertx, String address) {
    Claim claim = vertx.sharedData().<String, Claim>getLocalMap(CLAIMS).get(address);
    return claim == null ? Optional.empty() : Optional.ofNullable(claim.bus);
  }

  /** Lets others find the bus. */
  void show(ShardBus running) {
    bus = running;
  }

  void release() {
    claims.removeIfPresent(address, this);
  }
}
