/** The memory sink: the newest events, in memory. */
@NullMarked
package io.shardbus.sink.memory;

import org.jspecify.annotations.NullMarked;
