/**
 * The noop sink: it confirms every batch and keeps none. For measurements and tests.
 *
 * <p>It has no options and one class, {@link io.shardbus.sink.noop.NoopSinkProvider}. It is the
 * smallest example of a sink.
 */
@NullMarked
package io.shardbus.sink.noop;

import org.jspecify.annotations.NullMarked;
