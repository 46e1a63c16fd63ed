/**
 * HTTP, WebSocket and server-sent events in front of a bus.
 *
 * <p>Here live the routes, access by tokens and origins, limits, reading, administration and the
 * console page. An event that a client sends is checked here, counted against the client's limits,
 * and handed to the bus. This package does not know what the bus does with it. Only the command
 * line knows this package.
 *
 * <p>Where to begin:
 *
 * <ul>
 *   <li>{@link io.shardbus.gateway.Gateway} starts and stops listening; {@code Endpoints} has the
 *       list of routes.
 *   <li>{@code HttpIngest} takes events over HTTP: {@code SingleEvent}, or {@code Upload} for
 *       NDJSON.
 *   <li>{@code WebSocketIngest} takes events over a WebSocket.
 *   <li>{@code EventReads} and {@code Tail} read events back.
 *   <li>{@code Access} decides who may do what.
 * </ul>
 */
@NullMarked
package io.shardbus.gateway;

import org.jspecify.annotations.NullMarked;
