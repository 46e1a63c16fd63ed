/**
 * The face of Shardbus: what a program that embeds it needs.
 *
 * <p>Here live {@link io.shardbus.ShardBus}, its options, its counts, and the code that starts and
 * closes a bus. Rings and routing do not live here, but in {@code shard}; nor does delivery, nor
 * HTTP. This package connects the packages below, and none of them knows it.
 *
 * <p>Begin with {@link io.shardbus.ShardBus}: its static {@code start} methods, then {@code
 * BusStarter}, which opens the sink, then the shards, then the routers, in that order.
 */
@NullMarked
package io.shardbus;

import org.jspecify.annotations.NullMarked;
