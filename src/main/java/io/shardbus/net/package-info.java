/**
 * Bounded parts of HTTP and WebSocket servers that know no events: limits, timers, the ends of
 * connections. For the gateway; not a public API.
 */
@NullMarked
package io.shardbus.net;

import org.jspecify.annotations.NullMarked;
