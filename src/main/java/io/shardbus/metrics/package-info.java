/**
 * Meters of a bus for Micrometer.
 *
 * <p>Here live the meters, their names and descriptions. They read a bus through its public face
 * only, and the bus does not know them: without Micrometer on the class path, a bus works as
 * before. The counting is done in {@code shard} and {@code delivery}. {@code conf/METRICS.md} lists
 * the names.
 *
 * <p>Begin with {@link io.shardbus.metrics.BusMetrics}.
 */
@NullMarked
package io.shardbus.metrics;

import org.jspecify.annotations.NullMarked;
