/** What a sink is, and how one is found. */
@NullMarked
package io.shardbus.sink;

import org.jspecify.annotations.NullMarked;
