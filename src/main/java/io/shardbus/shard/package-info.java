/** The engine: rings, routing, scaling decisions and accounts. No verticle, no I/O. */
@NullMarked
package io.shardbus.shard;

import org.jspecify.annotations.NullMarked;
