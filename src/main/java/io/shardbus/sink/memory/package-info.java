/**
 * The memory sink: it keeps the newest events in memory, up to a number of events and of bytes.
 *
 * <p>For tests, and for tails without a store. Everything is lost when the process ends. Begin with
 * {@code MemorySink}: it is the smallest example of a sink that can be read back.
 */
@NullMarked
package io.shardbus.sink.memory;

import org.jspecify.annotations.NullMarked;
