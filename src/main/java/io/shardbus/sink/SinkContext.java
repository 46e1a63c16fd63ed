package io.shardbus.sink;

import io.shardbus.event.ProducerId;
import io.vertx.core.Vertx;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What the bus lends to a sink.
 *
 * @param vertx the Vert.x instance of the bus
 * @param producer the producer that gives the sequences in this run
 * @param dataDir the folder in which the bus keeps what must outlive it; null if it keeps nothing
 */
public record SinkContext(Vertx vertx, ProducerId producer, @Nullable Path dataDir) {}
