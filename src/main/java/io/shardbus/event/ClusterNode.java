package io.shardbus.event;

import io.vertx.core.json.JsonObject;
import org.jspecify.annotations.Nullable;

/**
 * A bus of a cluster.
 *
 * @param id differs from that of any other bus; new with each start
 * @param name the name of its machine and the number of its process, such as {@code web-1/4711}
 * @param self whether it is the bus that was asked
 * @param silentMillis how long it has said nothing, in ms
 * @param report what it says about itself; null if it did not answer
 */
public record ClusterNode(
    String id, String name, boolean self, long silentMillis, @Nullable JsonObject report) {}
