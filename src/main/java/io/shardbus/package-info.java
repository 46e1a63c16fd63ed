/** The face of Shardbus: a bus, its options and its numbers. */
@NullMarked
package io.shardbus;

import org.jspecify.annotations.NullMarked;
