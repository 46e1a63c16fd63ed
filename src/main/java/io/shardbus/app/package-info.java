/**
 * The command line and its configuration.
 *
 * <p>This is the only package that knows all others, and no other package knows it. It reads
 * options from file, environment and flags, starts a bus and a gateway, and has the commands that
 * talk to a running server. It has no logic for events: a program that embeds Shardbus does not
 * need it.
 *
 * <p>Begin with {@link io.shardbus.app.Main}, which lists the commands; {@code ServeCommand} starts
 * the server, and {@code Config} finds the options in force.
 */
@NullMarked
package io.shardbus.app;

import org.jspecify.annotations.NullMarked;
