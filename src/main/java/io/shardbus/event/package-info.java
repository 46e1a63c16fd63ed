/** What an event is on its way in, in a shard and on its way out: data only. */
@NullMarked
package io.shardbus.event;

import org.jspecify.annotations.NullMarked;
