package io.shardbus.app;

import io.vertx.core.json.JsonObject;
import java.time.temporal.ChronoUnit;

/** How commands say what a server tells of its scaling. */
final class ScalingText {

  private ScalingText() {}

  /** One change of the shards, and why. */
  static String change(JsonObject change) {
    String reason = change.getString("reason");
    return change.getInstant("at").truncatedTo(ChronoUnit.SECONDS)
        + " "
        + change.getString("cause")
        + " "
        + change.getString("direction")
        + (change.containsKey("detail")
            ? " failed: " + change.getString("detail")
            : " " + change.getJsonArray("shards") + ", " + change.getInteger("active") + " active")
        + (reason.isEmpty() ? "" : ", because " + reason);
  }

  /** What keeps the policy from adding the shards that the load asks for. */
  static String limit(JsonObject scaling) {
    return scaling.getString("limitedBy") + ", " + scaling.getString("limitReason");
  }
}
