/** The verticles: routing from the event bus, draining shards into the sink, and scaling. */
@NullMarked
package io.shardbus.verticle;

import org.jspecify.annotations.NullMarked;
