/**
 * Meters of a bus for Micrometer.
 *
 * <p>Here live the meters, their names and descriptions. They read a bus through its public face
 * only, and the bus does not know them: who uses no Micrometer needs none on the class path. What
 * is counted is counted in {@code shard} and {@code delivery}. {@code conf/METRICS.md} lists the
 * names.
 *
 * <p>Begin with {@link io.shardbus.metrics.BusMetrics}.
 */
@NullMarked
package io.shardbus.metrics;

import org.jspecify.annotations.NullMarked;
