/** The noop sink: takes everything, keeps nothing. */
@NullMarked
package io.shardbus.sink.noop;

import org.jspecify.annotations.NullMarked;
