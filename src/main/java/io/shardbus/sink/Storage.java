package io.shardbus.sink;

import org.jspecify.annotations.Nullable;

/**
 * What a sink stores.
 *
 * @param bytes what it takes on the disk or in memory
 * @param oldest the time of its oldest event, nanoseconds since the epoch; null if it has none
 * @param newest the time of its newest event, nanoseconds since the epoch; null if it has none
 * @param freeBytes what its disk has left for it; null if it has no disk
 */
public record Storage(
    long bytes, @Nullable Long oldest, @Nullable Long newest, @Nullable Long freeBytes) {}
