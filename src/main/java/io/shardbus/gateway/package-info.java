/** The HTTP, WebSocket and server-sent-events face of the bus. */
@NullMarked
package io.shardbus.gateway;

import org.jspecify.annotations.NullMarked;
